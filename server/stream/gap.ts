/** Lost events: what is remembered about them, and how neighbouring losses become one. */
import { GapCause } from '../../proto/gen/strata/v1/event_service.ts';
import type { FeedBatch, FeedLoss } from '../inspector/event-feed.ts';

export interface Gap {
  readonly cause: GapCause;
  /** Events lost. */
  readonly count: number;
  /** Sequence number of the first; undefined for losses that take none. */
  readonly firstSequence: number | undefined;
  /** `evt.num` of the first and last; undefined when unknown. */
  readonly firstNum: number | undefined;
  readonly lastNum: number | undefined;
}

const CAUSES: Readonly<Record<FeedLoss['cause'], GapCause>> = {
  'backlog-full': GapCause.BACKLOG_FULL,
  'event-too-large': GapCause.EVENT_TOO_LARGE,
  'capture-loss': GapCause.CAPTURE_LOSS,
};

export function gapOfLoss(loss: FeedLoss): Gap {
  return { ...loss, cause: CAUSES[loss.cause] };
}

/** The gap that a dropped batch leaves. */
export function gapOfBatch(batch: FeedBatch): Gap {
  return {
    cause: GapCause.BACKLOG_FULL,
    count: batch.count,
    firstSequence: batch.firstSequence,
    firstNum: batch.firstNum,
    lastNum: batch.lastNum,
  };
}

/** Both as one gap; undefined when they must stay two: another cause, or something was delivered between them. */
export function mergeGaps(first: Gap, second: Gap): Gap | undefined {
  if (first.cause !== second.cause) return undefined;
  if (first.firstSequence !== undefined) {
    if (first.firstSequence + first.count !== second.firstSequence) return undefined;
  } else if (second.firstSequence !== undefined) {
    return undefined;
  }
  return {
    cause: first.cause,
    count: first.count + second.count,
    firstSequence: first.firstSequence,
    firstNum: first.firstNum ?? second.firstNum,
    lastNum: second.lastNum ?? first.lastNum,
  };
}
