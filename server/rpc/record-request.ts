/** Checks a Record request and fills in the defaults. */
import type { RecordRequest } from '../../proto/gen/strata/v1/recording_service.ts';
import { invalidArgument, StrataError } from '../event/strata-error.ts';
import type { RecordingRequest } from '../inspector/recording-feed.ts';
import { checkSource } from './stream-request.ts';

/** Smallest backlog: an event may have 64 KiB, and chunks a quarter of a MiB. */
const BACKLOG_BYTES_MIN = 1_048_576;
/** Smaller files would hold little but the state they start with. */
const ROTATE_BYTES_MIN = 4096;
const ROTATE_MS_MIN = 100;
/** How long bytes wait for more: compressed, short pieces cost much. */
const LATENCY_MS = { plain: 200, compressed: 1000 } as const;

/** What a request means, once checked. */
export interface RecordPlan {
  readonly start: 'beginning' | 'live';
  readonly isCompressed: boolean;
  readonly recording: RecordingRequest;
}

/** Throws StrataError: INVALID_ARGUMENT with the member's name, NOT_FOUND, FAILED_PRECONDITION. */
export function planRecording(
  request: RecordRequest,
  isCaptureFile: boolean,
  backlogBytesMax: number,
): RecordPlan {
  const source = checkSource(request.source);
  const start = checkStart(request, isCaptureFile);
  const asked = Number(request.backlogBytesMax);
  const creditBytes = asked === 0 ? backlogBytesMax : Math.min(asked, backlogBytesMax);
  return {
    start,
    isCompressed: request.isCompressed,
    recording: {
      source,
      condition: request.condition,
      snaplenBytes: snaplenOf(request),
      eventsMax: limit('events_max', request.eventsMax, 1),
      bytesMax: limit('bytes_max', request.bytesMax, 1),
      durationMsMax: limit('duration_ms_max', request.durationMsMax, 1),
      rotateBytes: limit('rotate_bytes', request.rotateBytes, ROTATE_BYTES_MIN),
      rotateDurationMs: limit('rotate_duration_ms', request.rotateDurationMs, ROTATE_MS_MIN),
      creditBytes: Math.max(BACKLOG_BYTES_MIN, creditBytes),
      holdsSource: start === 'beginning',
      latencyMs: request.isCompressed ? LATENCY_MS.compressed : LATENCY_MS.plain,
    },
  };
}

function snaplenOf(request: RecordRequest): number {
  if (request.hasNoPayload) {
    if (request.snaplenBytes === 0) return 0;
    throw invalidArgument('snaplen_bytes', 'without payload there is no snaplen');
  }
  return request.snaplenBytes === 0 ? Number.POSITIVE_INFINITY : request.snaplenBytes;
}

function limit(field: string, value: bigint | undefined, min: number): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (value < min) throw invalidArgument(field, `${field} must be at least ${min}`);
  return Number(value);
}

function checkStart(request: RecordRequest, isCaptureFile: boolean): 'beginning' | 'live' {
  if (request.start === undefined) return isCaptureFile ? 'beginning' : 'live';
  if (request.start.$case === 'beginning' && !isCaptureFile) {
    throw new StrataError({
      code: 'FAILED_PRECONDITION',
      message: 'this server captures live: there is no beginning to start from',
      reason: 'NOT_A_CAPTURE_FILE',
      field: 'beginning',
    });
  }
  return request.start.$case;
}
