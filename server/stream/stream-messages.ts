/** The messages of a stream other than batches, encoded. */
import {
  EndReason,
  type Heartbeat,
  StreamEventsResponse,
  type SubscribedFilter,
} from '../../proto/gen/strata/v1/event_service.ts';
import type { FeedEnd, FeedFilter, FeedFiltersChanged, FeedMark } from '../inspector/event-feed.ts';
import type { Gap } from './gap.ts';

type Message = NonNullable<StreamEventsResponse['message']>;

export function encodeMessage(message: Message): Uint8Array {
  return StreamEventsResponse.encode({ message }).finish();
}

export function subscribedFilters(filters: readonly FeedFilter[]): SubscribedFilter[] {
  return filters.map(({ id, name }) => ({ id, name }));
}

export function encodeGap(gap: Gap): Uint8Array {
  return encodeMessage({
    $case: 'gap',
    value: {
      cause: gap.cause,
      lostCount: BigInt(gap.count),
      firstSequence: optionalBig(gap.firstSequence),
      firstEventNumber: optionalBig(gap.firstNum),
      lastEventNumber: optionalBig(gap.lastNum),
    },
  });
}

/** `nowNs` only for live sources: a capture file has no lag. */
export function encodeHeartbeat(
  mark: FeedMark,
  nowNs: bigint | undefined,
  lostCompletionCount: number,
): Uint8Array {
  const value: Heartbeat = {
    watermarkEventNumber: optionalBig(mark.watermarkNum),
    watermarkTimestampNs: mark.watermarkTsNs,
    lagNs: lag(mark.watermarkTsNs, nowNs),
    nextSequence: BigInt(mark.nextSequence),
    resumeToken: Buffer.alloc(0),
    captureBytesRead: optionalBig(mark.captureBytesRead),
    lostCompletionCount: BigInt(lostCompletionCount),
  };
  return encodeMessage({ $case: 'heartbeat', value });
}

function lag(watermarkNs: bigint | undefined, nowNs: bigint | undefined): bigint | undefined {
  if (watermarkNs === undefined || nowNs === undefined) return undefined;
  // Clocks may be set back.
  return nowNs > watermarkNs ? nowNs - watermarkNs : 0n;
}

export function encodeFiltersChanged(change: FeedFiltersChanged): Uint8Array {
  return encodeMessage({
    $case: 'filtersChanged',
    value: { filters: subscribedFilters(change.filters), nextSequence: BigInt(change.nextSequence) },
  });
}

const END_REASONS: Readonly<Record<FeedEnd['reason'], EndReason>> = {
  'capture-end': EndReason.CAPTURE_END,
  'capture-error': EndReason.CAPTURE_ERROR,
  'events-max': EndReason.EVENTS_MAX,
  shutdown: EndReason.SHUTDOWN,
};

export function encodeEnded(
  end: FeedEnd,
  sentCount: number,
  lostCount: number,
  lostCompletionCount: number,
): Uint8Array {
  const captureError =
    end.reason === 'capture-error'
      ? { message: end.errorMessage ?? '', byteOffset: optionalBig(end.errorOffset) }
      : undefined;
  return encodeMessage({
    $case: 'ended',
    value: {
      reason: END_REASONS[end.reason],
      seenCount: BigInt(end.seenCount),
      matchedCount: BigInt(end.matchedCount),
      sentCount: BigInt(sentCount),
      lostCount: BigInt(lostCount),
      captureError,
      lastEventNumber: optionalBig(end.lastNum),
      captureBytesRead: optionalBig(end.captureBytesRead),
      lostCompletionCount: BigInt(lostCompletionCount),
    },
  });
}

function optionalBig(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value);
}
