/** Questions about threads. */
import type {
  GetThreadRequest,
  GetThreadResponse,
  ListThreadsRequest,
  ListThreadsResponse,
} from '../../../proto/gen/strata/v1/state_service.ts';
import { notFound } from '../../event/strata-error.ts';
import { HOST_ID } from '../../fields/container-row.ts';
import type { StateView } from '../../state/os-state.ts';
import type { ThreadInfo } from '../../state/thread-info.ts';
import { findContainersById } from './container-message.ts';
import { mustFindContainer } from './container-queries.ts';
import { type ListOrder, pageOf } from './page.ts';
import type { QueryContext } from './query-context.ts';
import { viewOf } from './scope.ts';
import { binaryOf } from './text.ts';
import { ancestorsOf, threadMessage } from './thread-message.ts';

const BY_TID: ListOrder<ThreadInfo> = { text: () => '', number: (row) => row.tid };

/** Throws StrataError NOT_FOUND. */
export function mustFindThread(view: StateView, tid: bigint): ThreadInfo {
  const row = view.findThread(Number(tid));
  if (row === undefined) throw notFound(`no thread ${tid}`);
  return row;
}

export function getThread(request: GetThreadRequest, { inspector }: QueryContext): GetThreadResponse {
  const view = viewOf(request.scope, inspector);
  const row = mustFindThread(view, request.tid);
  const ancestors = request.includeAncestors ? ancestorsOf(view, row) : [];
  return {
    thread: threadMessage(view, row),
    ancestors: ancestors.map((ancestor) => threadMessage(view, ancestor)),
  };
}

export function listThreads(request: ListThreadsRequest, { inspector }: QueryContext): ListThreadsResponse {
  const view = viewOf(request.scope, inspector);
  const { rows, page } = pageOf(threadsOf(view, request), BY_TID, request.page);
  return { threads: rows.map((row) => threadMessage(view, row)), page };
}

function* threadsOf(view: StateView, request: ListThreadsRequest): Iterable<ThreadInfo> {
  const { containerId, onlyProcesses } = request;
  const key = containerId === undefined ? undefined : keyOf(view, containerId);
  for (const row of view.allThreads()) {
    if (onlyProcesses && !row.isMain()) continue;
    if (key === undefined || row.containerId === key) yield row;
  }
}

/** What threads of the container have as their container id; an unknown one has no threads. */
function keyOf(view: StateView, containerId: string): string {
  if (containerId === HOST_ID || containerId === '') return '';
  const isKnown = findContainersById(view, containerId).length > 0;
  return isKnown ? mustFindContainer(view, containerId).key : binaryOf(containerId);
}
