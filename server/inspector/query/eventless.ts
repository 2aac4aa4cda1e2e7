/** Threads, containers and pods in the shape that field extractors read: an event that is none, with a time and no parameters. */
import type { StateScope } from '../../../proto/gen/strata/v1/state.ts';
import type { InspectedEvent } from '../../state/inspected-event.ts';
import type { ThreadInfo } from '../../state/thread-info.ts';
import type { Inspector } from '../inspector.ts';
import { mustFindContainer } from './container-queries.ts';
import { mustFindPod } from './pod-queries.ts';
import { scratchOf } from './query-scratch.ts';
import { viewOf } from './scope.ts';
import { mustFindThread } from './thread-queries.ts';

const NO_CGROUPS: ThreadInfo['cgroups'] = [];

/** Good until the next one is asked for. Throws StrataError NOT_FOUND, or OUT_OF_RANGE for the scope. */
export function threadEvent(
  tid: bigint,
  scope: StateScope | undefined,
  inspector: Inspector,
): InspectedEvent {
  const view = viewOf(scope, inspector);
  const thread = mustFindThread(view, tid);
  return fill(thread, scope, inspector);
}

/** As `threadEvent`, of a thread of which nothing is known but its container. */
export function containerEvent(
  id: string,
  scope: StateScope | undefined,
  inspector: Inspector,
): InspectedEvent {
  const view = viewOf(scope, inspector);
  const thread = scratchOf(inspector).containerThread;
  thread.containerId = mustFindContainer(view, id).key;
  thread.cgroups = NO_CGROUPS;
  return fill(thread, scope, inspector);
}

/** As `threadEvent`, of a thread of which nothing is known but its pod. */
export function podEvent(uid: string, scope: StateScope | undefined, inspector: Inspector): InspectedEvent {
  const view = viewOf(scope, inspector);
  const thread = scratchOf(inspector).containerThread;
  thread.containerId = '';
  thread.cgroups = [['', `/kubepods/pod${mustFindPod(view, uid).uid}`]];
  return fill(thread, scope, inspector);
}

/** Durations run up to the event of the scope, or to the last event. */
function fill(thread: ThreadInfo, scope: StateScope | undefined, inspector: Inspector): InspectedEvent {
  const { restored, eventless } = scratchOf(inspector);
  const isPast = scope?.eventNumber !== undefined;
  const { record } = isPast ? restored : inspector.event;
  eventless.state = isPast ? restored.state : inspector.state;
  eventless.thread = thread;
  eventless.record.tid = thread.tid;
  eventless.record.tsHi = record.tsHi;
  eventless.record.tsLo = record.tsLo;
  eventless.scratch.clear();
  return eventless;
}
