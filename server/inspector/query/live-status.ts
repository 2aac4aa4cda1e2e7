/** How a live source captures, for the status. */
import type { LiveCaptureStatus } from '../../../proto/gen/strata/v1/node_service.ts';
import type { CaptureStatus, LossCount } from '../../capture/capture-status.ts';
import { PPM_EVENT_MAX } from '../../event/event-types.ts';
import type { QueryContext } from './query-context.ts';

/** Undefined for files. */
export function liveStatus(context: QueryContext): LiveCaptureStatus | undefined {
  const { engine, interest } = context.inspector;
  const status = engine.status?.();
  if (status === undefined) return undefined;
  const { lookups, found } = context.live?.healing() ?? { lookups: 0, found: 0 };
  return {
    ...kernelTotals(status),
    ...rings(status),
    lostCount: BigInt(engine.counters.eventsLost),
    systemCallsWanted: status.systemCallsWanted,
    eventTypesWanted: interest
      .wanted()
      .subarray(0, PPM_EVENT_MAX)
      .filter((bits) => bits !== 0).length,
    interestChangeCount: BigInt(interest.changeCount),
    snapshotSource: status.snapshotSource,
    snapshotEndTimestampNs: status.snapshotEndNs,
    snapshotThreadCount: BigInt(status.snapshotThreads),
    snapshotDurationMs: BigInt(Math.round(status.snapshotMs)),
    healedLookupCount: BigInt(lookups),
    healedThreadCount: BigInt(found),
    capabilities: [...status.capabilities],
    notes: [...status.notes],
    fallbackReason: context.live?.fallbackReason ?? '',
  };
}

function kernelTotals(
  status: CaptureStatus,
): Pick<
  LiveCaptureStatus,
  | 'generatedCount'
  | 'suppressedCount'
  | 'unreadParameterCount'
  | 'truncatedParameterCount'
  | 'failedCount'
  | 'lostByCause'
  | 'lostByEventType'
> {
  return {
    generatedCount: BigInt(status.generated),
    suppressedCount: BigInt(status.suppressed),
    unreadParameterCount: BigInt(status.unread),
    truncatedParameterCount: BigInt(status.truncated),
    failedCount: BigInt(status.failed),
    lostByCause: status.lostByCause.map(lossMessage),
    lostByEventType: status.lostByType.map(lossMessage),
  };
}

function rings(
  status: CaptureStatus,
): Pick<LiveCaptureStatus, 'ringCount' | 'ringBytes' | 'ringUsedBytes' | 'ringUsedBytesMax'> {
  return {
    ringCount: status.ringCount,
    ringBytes: BigInt(status.ringBytes),
    ringUsedBytes: BigInt(status.ringUsedBytes),
    ringUsedBytesMax: BigInt(status.ringUsedBytesMax),
  };
}

function lossMessage({ name, count }: LossCount): { name: string; count: bigint } {
  return { name, count: BigInt(count) };
}
