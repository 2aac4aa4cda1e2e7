/** The whole layered context of threads, processes, fds, containers, cgroups and events. */
import type {
  Context,
  EnrichRequest,
  EnrichResponse,
  EnrichResult,
  Subject,
} from '../../../proto/gen/strata/v1/enrichment_service.ts';
import { containerOfCgroups } from '../../container/container-of-cgroups.ts';
import { bareContainer } from '../../container/container-rows.ts';
import { invalidArgument, notFound } from '../../event/strata-error.ts';
import { findMain } from '../../fields/ancestors.ts';
import { findContainer } from '../../fields/container-row.ts';
import { podKeyOfContainer, podKeyOfThread } from '../../fields/pod-row.ts';
import type { FdInfo } from '../../state/fd-info.ts';
import type { StateView } from '../../state/os-state.ts';
import type { PodRow } from '../../state/pod-table.ts';
import type { ThreadInfo } from '../../state/thread-info.ts';
import type { Inspector } from '../inspector.ts';
import { containerMessage, type FoundContainer, findContainerByKey } from './container-message.ts';
import { mustFindContainer, mustFindContainerByName } from './container-queries.ts';
import { ContextMask } from './context-mask.ts';
import { fdMessage } from './fd-message.ts';
import { mustFindFd } from './fd-queries.ts';
import { groupOf, loginUserOf, userOf } from './identity-message.ts';
import { answerItem, newestLast } from './item-error.ts';
import { mustFindPod, podMessage } from './pod-queries.ts';
import type { QueryContext } from './query-context.ts';
import { mustRestore, viewOf } from './scope.ts';
import { binaryOf } from './text.ts';
import { ancestorsOf, threadMessage } from './thread-message.ts';
import { mustFindThread } from './thread-queries.ts';

/** What a subject's key leads to. */
interface Found {
  readonly view: StateView;
  readonly thread?: ThreadInfo | undefined;
  readonly fd?: FdInfo | undefined;
  readonly fdNumber?: number | undefined;
  readonly container?: FoundContainer | undefined;
  readonly pod?: PodRow | undefined;
}

/**
 * Throws StrataError INVALID_ARGUMENT for subjects without a key and unknown mask paths; a subject that is not found has
 * its error as its result. Whoever passes the call on has limited their number.
 */
export function enrich(request: EnrichRequest, { inspector }: QueryContext): EnrichResponse {
  const { subjects, scope } = request;
  const mask = new ContextMask(request.fieldMask);
  const results = new Array<EnrichResult>(subjects.length);
  for (const i of newestLast(subjects, eventNumberOf)) {
    const { key } = subjects[i] as Subject;
    if (key === undefined) throw invalidArgument(`subjects[${i}]`, 'a subject needs a key');
    results[i] = answerItem(
      (): EnrichResult => {
        const view = key.$case === 'eventNumber' ? inspector.state : viewOf(scope, inspector);
        const context = contextOf(find(key, view, inspector), mask);
        return { result: { $case: 'context', value: mask.prune(context) } };
      },
      (error) => ({ result: { $case: 'error', value: error } }),
    );
  }
  return { results };
}

function eventNumberOf({ key }: Subject): bigint | undefined {
  return key?.$case === 'eventNumber' ? key.value : undefined;
}

/** Throws StrataError NOT_FOUND, FAILED_PRECONDITION, or OUT_OF_RANGE. */
function find(key: NonNullable<Subject['key']>, view: StateView, inspector: Inspector): Found {
  switch (key.$case) {
    case 'tid':
      return { view, thread: mustFindThread(view, key.value) };
    case 'pid':
      return { view, thread: mustFindProcess(view, key.value) };
    case 'fd': {
      const { tid, fd } = key.value;
      const row = mustFindFd(view, tid, fd);
      return { view, thread: mustFindThread(view, tid), fd: row, fdNumber: Number(fd) };
    }
    case 'containerId':
      return { view, container: mustFindContainer(view, key.value) };
    case 'containerName':
      return { view, container: mustFindContainerByName(view, key.value) };
    case 'cgroupPath':
      return { view, container: mustFindCgroup(view, key.value, inspector) };
    case 'eventNumber': {
      const event = mustRestore(key.value, undefined, inspector);
      return { view: event.state, thread: event.thread, fd: event.fd, fdNumber: event.fdNumber };
    }
    case 'podUid':
      return { view, pod: mustFindPod(view, key.value) };
  }
}

function mustFindProcess(view: StateView, pid: bigint): ThreadInfo {
  const row = view.findThread(Number(pid));
  if (row === undefined || !row.isMain()) throw notFound(`no process ${pid}`);
  return row;
}

/** What runtimes have told about cgroups is known of now only, and holds for the past as well. */
function mustFindCgroup(view: StateView, path: string, { state }: Inspector): FoundContainer {
  const match = containerOfCgroups(state.containers, [['', binaryOf(path)]]);
  if (match === undefined) throw notFound(`cgroup path ${path} belongs to no container`);
  const { id, type } = match;
  return findContainerByKey(view, id) ?? { key: id, row: findContainer(view, id) ?? bareContainer(id, type) };
}

/** Layers that nobody asks for are not made. */
function contextOf(found: Found, mask: ContextMask): Context {
  const { view, thread, fd } = found;
  const process = thread === undefined ? undefined : findMain(view, thread);
  return {
    thread: thread !== undefined && mask.wants('thread') ? threadMessage(view, thread) : undefined,
    process: process !== undefined && mask.wants('process') ? threadMessage(view, process) : undefined,
    ancestors:
      thread !== undefined && mask.wants('ancestors')
        ? ancestorsOf(view, thread).map((ancestor) => threadMessage(view, ancestor))
        : [],
    fd: fd !== undefined && mask.wants('fd') ? fdMessage(found.fdNumber ?? -1, fd) : undefined,
    user: thread === undefined ? undefined : userOf(view, thread.containerId, thread.uid),
    group: thread === undefined ? undefined : groupOf(view, thread.containerId, thread.gid),
    loginUser: thread === undefined ? undefined : loginUserOf(view, thread.containerId, thread.loginuid),
    container: mask.wants('container') ? containerOf(found) : undefined,
    pod: mask.wants('pod') ? podOf(found) : undefined,
  };
}

function containerOf({ view, thread, container }: Found): Context['container'] {
  if (container !== undefined) return containerMessage(container);
  if (thread === undefined || thread.containerId === '') return undefined;
  const key = thread.containerId;
  return containerMessage({ key, row: findContainer(view, key) ?? bareContainer(key, '') });
}

function podOf({ view, thread, container, pod }: Found): Context['pod'] {
  if (pod !== undefined) return podMessage(view, pod);
  const key =
    thread === undefined
      ? container && podKeyOfContainer(view, container.key)
      : podKeyOfThread(view, thread.containerId, thread.cgroups);
  const row = key === undefined ? undefined : view.findPod(key);
  return row === undefined ? undefined : podMessage(view, row);
}
