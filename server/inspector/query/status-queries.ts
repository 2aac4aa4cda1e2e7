/** Questions about the inspector itself. */
import {
  SourceState,
  type SourceStatus,
  type TableStatus,
} from '../../../proto/gen/strata/v1/node_service.ts';
import type { OsState } from '../../state/os-state.ts';
import type { TableCounters } from '../../state/table-counters.ts';
import type { Inspector } from '../inspector.ts';
import type { ContainerFigures, InspectorStatus } from '../queries.ts';
import { liveStatus } from './live-status.ts';
import { captureEngineOf, nodeIdentityOf, type QueryContext } from './query-context.ts';
import { type TableBytes, tableBytes } from './table-bytes.ts';

export function getStatus(_request: undefined, context: QueryContext): InspectorStatus {
  return {
    node: nodeIdentityOf(context),
    source: sourceStatus(context),
    tables: [...tableStatuses(context.inspector.state), heldStatus(context.inspector)],
    containers: containerFigures(context.inspector),
  };
}

function containerFigures({ counters, pending, containers, delivery }: Inspector): ContainerFigures {
  return {
    events: counters.containerEvents,
    completeEvents: counters.containerEventsComplete,
    pending: pending.count,
    injected: containers?.injected ?? 0,
    injectionsRefused: containers?.injectionsRefused ?? 0,
    swept: containers?.swept ?? 0,
    ...delivery,
  };
}

function sourceStatus(context: QueryContext): SourceStatus {
  const { inspector, captureName } = context;
  const { engine, counters, event, retained, error } = inspector;
  const isStarted = counters.eventsRead > 0;
  const oldest = retained.oldestNumber;
  return {
    name: event.source,
    captureEngine: captureEngineOf(engine),
    state: stateOf(inspector),
    captureName,
    captureBytes: engine.totalBytes === undefined ? undefined : BigInt(engine.totalBytes),
    captureBytesRead: engine.totalBytes === undefined ? undefined : BigInt(engine.counters.bytesRead),
    eventCount: BigInt(counters.eventsRead),
    lastEventNumber: isStarted ? BigInt(event.record.num) : undefined,
    lastTimestampNs: isStarted ? event.record.timestampNs() : undefined,
    oldestRetainedEventNumber: oldest === undefined ? undefined : BigInt(oldest),
    error: error?.message ?? '',
    live: liveStatus(context),
  };
}

function stateOf(inspector: QueryContext['inspector']): SourceStatus['state'] {
  if (inspector.error !== undefined) return SourceState.FAILED;
  return inspector.isEnded ? SourceState.ENDED : SourceState.RUNNING;
}

function tableStatuses(state: OsState): TableStatus[] {
  const { limits, threads, users, groups, containers, pods, interfaces } = state;
  const addresses = interfaces.values().length;
  const fds = fdCount(state);
  const bytes = tableBytes(state, fds);
  return [
    tableStatus('threads', threads.size, limits.threadsMax, bytes, threads.counters),
    tableStatus('fds', fds, limits.fdsPerProcessMax, bytes, threads.fdCounters),
    tableStatus('users', users.size, limits.usersMax, bytes, users.counters),
    tableStatus('groups', groups.size, limits.groupsMax, bytes, groups.counters),
    tableStatus('interfaces', addresses, limits.interfacesMax, bytes, {
      refused: interfaces.refused,
      added: addresses,
      removed: 0,
    }),
    tableStatus('containers', containers.size, limits.containersMax, bytes, containers.counters),
    tableStatus('pods', pods.size, limits.podsMax, bytes, pods.counters),
  ];
}

/** Events that wait for their container, for all subscriptions together. */
function heldStatus({ held }: Inspector): TableStatus {
  return {
    name: 'held_events',
    rowCount: BigInt(held.count),
    rowsMax: BigInt(held.countMax),
    refusedCount: BigInt(held.evicted),
    addedCount: BigInt(held.added),
    removedCount: BigInt(held.added - held.count),
    byteEstimate: BigInt(held.bytes),
  };
}

function tableStatus(
  name: keyof TableBytes,
  rows: number,
  rowsMax: number,
  bytes: TableBytes,
  counters: Pick<TableCounters, 'refused' | 'added' | 'removed'>,
): TableStatus {
  return {
    name,
    rowCount: BigInt(rows),
    rowsMax: BigInt(rowsMax),
    refusedCount: BigInt(counters.refused),
    addedCount: BigInt(counters.added),
    removedCount: BigInt(counters.removed),
    byteEstimate: BigInt(bytes[name]),
  };
}

/** Threads of a process share its table, which counts once. */
function fdCount(state: OsState): number {
  const tables = new Set([...state.threads.values()].map((row) => row.fds));
  let count = 0;
  for (const table of tables) count += table.size;
  return count;
}
