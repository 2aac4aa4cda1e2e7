/** Everything the inspector counts: one row each. */
import type { Counter } from '../../../proto/gen/strata/v1/node_service.ts';
import type { ReleaseCause } from '../delivery-counters.ts';
import type { Inspector } from '../inspector.ts';
import type { QueryContext } from './query-context.ts';

interface CounterRow {
  readonly name: string;
  readonly description: string;
  value(inspector: Inspector): number;
}

function row(name: string, description: string, value: CounterRow['value']): CounterRow {
  return { name, description, value };
}

/** `[in the counter's name, cause, in words]` */
const RELEASE_CAUSES: readonly (readonly [name: string, cause: ReleaseCause, why: string])[] = [
  ['expired', 'expired', 'it did not come in time'],
  ['unanswered', 'unanswered', 'those who know runtimes have given up'],
  ['no_room', 'no-room', 'as many events or bytes as may be were held'],
  ['ended', 'ended', 'the subscription or its source has ended'],
  ['filters_changed', 'filters-changed', 'the filters have changed'],
  ['state_forgotten', 'state-forgotten', 'it came, but the state as of the event was no longer remembered'],
];

/** All only grow while the inspector lives. */
const COUNTER_ROWS: readonly CounterRow[] = [
  row('events_read', 'records taken from the source', ({ counters }) => counters.eventsRead),
  row('events_shown', 'events offered to subscriptions', ({ counters }) => counters.eventsShown),
  row('events_hidden', 'records that carried state only', ({ counters }) => counters.eventsHidden),
  row('capture_bytes_read', 'bytes read of the capture file', ({ engine }) => engine.counters.bytesRead),
  row(
    'unknown_events',
    'records of unknown event types, skipped',
    ({ engine }) => engine.counters.unknownEvents,
  ),
  row(
    'absorbed_events',
    'records taken up into others by the conversion of old captures, or contained in the state read when live capture started',
    ({ engine }) => engine.counters.absorbedEvents,
  ),
  row(
    'capture_events_lost',
    'events that the source lost before any filter saw them; each is in a gap',
    ({ engine }) => engine.counters.eventsLost,
  ),
  row(
    'interest_changes',
    'times that what is captured live has changed',
    ({ interest }) => interest.changeCount,
  ),
  row(
    'thread_placeholders',
    'rows made for threads that nobody introduced',
    ({ parser }) => parser.counters.placeholders,
  ),
  row(
    'stored_events_used',
    'events completed with the enter half stored before',
    ({ parser }) => parser.counters.storedEventsUsed,
  ),
  row(
    'stored_events_missing',
    'events whose enter half was not there',
    ({ parser }) => parser.counters.storedEventsMissing,
  ),
  row(
    'container_json_invalid',
    'container events whose JSON could not be read',
    ({ parser }) => parser.counters.containerJsonInvalid,
  ),
  row('threads_added', 'thread rows added', ({ state }) => state.threads.counters.added),
  row('threads_removed', 'thread rows removed', ({ state }) => state.threads.counters.removed),
  row(
    'threads_refused',
    'threads refused because the table was full',
    ({ state }) => state.threads.counters.refused,
  ),
  row(
    'thread_lookups_found',
    'look-ups of a thread that found a row',
    ({ state }) => state.threads.counters.hits,
  ),
  row(
    'thread_lookups_missed',
    'look-ups of a thread that found none',
    ({ state }) => state.threads.counters.misses,
  ),
  row('fd_lookups_found', 'look-ups of an fd that found a row', ({ state }) => state.threads.fdCounters.hits),
  row(
    'fd_lookups_missed',
    'look-ups of an fd that found none',
    ({ state }) => state.threads.fdCounters.misses,
  ),
  row('fds_added', 'fd rows added', ({ state }) => state.threads.fdCounters.added),
  row('fds_removed', 'fd rows removed', ({ state }) => state.threads.fdCounters.removed),
  row(
    'fds_refused',
    "fds refused because their process's table was full",
    ({ state }) => state.threads.fdCounters.refused,
  ),
  row('users_added', 'user rows added', ({ state }) => state.users.counters.added),
  row('users_removed', 'user rows removed', ({ state }) => state.users.counters.removed),
  row(
    'users_refused',
    'users refused because the table was full',
    ({ state }) => state.users.counters.refused,
  ),
  row('groups_added', 'group rows added', ({ state }) => state.groups.counters.added),
  row('groups_removed', 'group rows removed', ({ state }) => state.groups.counters.removed),
  row(
    'groups_refused',
    'groups refused because the table was full',
    ({ state }) => state.groups.counters.refused,
  ),
  row('containers_added', 'container rows added', ({ state }) => state.containers.counters.added),
  row('containers_removed', 'container rows removed', ({ state }) => state.containers.counters.removed),
  row(
    'containers_refused',
    'containers refused because the table was full',
    ({ state }) => state.containers.counters.refused,
  ),
  row(
    'pod_json_invalid',
    'pod events whose JSON could not be read',
    ({ parser }) => parser.counters.podJsonInvalid,
  ),
  row('pods_added', 'pod rows added', ({ state }) => state.pods.counters.added),
  row('pods_removed', 'pod rows removed', ({ state }) => state.pods.counters.removed),
  row('pods_refused', 'pods refused because the table was full', ({ state }) => state.pods.counters.refused),
  row('container_events', 'events of containers shown', ({ counters }) => counters.containerEvents),
  row(
    'container_events_complete',
    'of them, those whose container was known completely when they were shown',
    ({ counters }) => counters.containerEventsComplete,
  ),
  row(
    'containers_swept',
    'containers that left some time after their last thread',
    ({ containers }) => containers?.swept ?? 0,
  ),
  row(
    'records_injected',
    'records about containers and their users put into the stream',
    ({ containers }) => containers?.injected ?? 0,
  ),
  row(
    'injections_refused',
    'news of containers not put into the stream, for want of room',
    ({ containers }) => containers?.injectionsRefused ?? 0,
  ),
  row(
    'events_held',
    'events that delivery COMPLETE held back for their container',
    ({ delivery }) => delivery.eventsHeld,
  ),
  row(
    'events_released_complete',
    'of them, those sent with all that is known of it',
    ({ delivery }) => delivery.eventsReleasedComplete,
  ),
  ...RELEASE_CAUSES.map(([name, cause, why]) =>
    row(
      `events_released_incomplete_${name}`,
      `of those released without metadata, those where ${why}`,
      ({ delivery }) => delivery.incompleteByCause[cause],
    ),
  ),
  row(
    'events_released_incomplete',
    'events held back and then sent without the metadata of their container',
    ({ delivery }) => delivery.eventsReleasedIncomplete,
  ),
  row(
    'events_sent_incomplete',
    'events sent at once, marked as incomplete, in delivery IMMEDIATE',
    ({ delivery }) => delivery.eventsSentIncomplete,
  ),
  row('events_completed', 'of them, those completed later', ({ delivery }) => delivery.eventsCompleted),
  row(
    'completions_sent',
    'completions sent in delivery IMMEDIATE',
    ({ delivery }) => delivery.completionsSent,
  ),
  row(
    'completions_lost',
    'completions not sent, for want of room',
    ({ delivery }) => delivery.completionsLost,
  ),
  row(
    'interfaces_refused',
    'interface addresses left out because there were too many',
    ({ state }) => state.interfaces.refused,
  ),
  row(
    'events_too_large_to_retain',
    'events larger than all the room for retained ones',
    ({ retained }) => retained.tooLargeCount,
  ),
  row(
    'undo_entries_dropped',
    'remembered changes given up for lack of room, and with them the state as of older events',
    ({ state }) => state.undo.overflowCount,
  ),
].sort((a, b) => (a.name < b.name ? -1 : 1));

export function getCounters(_request: undefined, { inspector }: QueryContext): readonly Counter[] {
  return COUNTER_ROWS.map(({ name, description, value }) => ({
    name,
    description,
    value: BigInt(value(inspector)),
  }));
}
