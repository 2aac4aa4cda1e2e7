/** Checks a StreamEvents request and fills in the defaults. */
import {
  DeliveryMode,
  type NamedFilter,
  OutputPreset,
  OverflowPolicy,
  Rendering,
  type StreamEventsRequest,
} from '../../proto/gen/strata/v1/event_service.ts';
import { invalidArgument, StrataError, unimplemented } from '../event/strata-error.ts';
import type {
  DeliveryName,
  FeedFilter,
  FeedRequest,
  PresetName,
  Projection,
} from '../inspector/event-feed.ts';
import type { OverflowPolicyName } from '../stream/subscriber.ts';

/** The only event source of this version. */
export const SYSCALL_SOURCE = 'syscall';

/** Limits of a subscription; the contract documents them. */
export interface StreamLimits {
  /** Largest backlog a subscription may ask for, and its default, in bytes. */
  readonly backlogBytesMax: number;
}

/** Limits that the contract fixes: `[default, maximum]`. */
const BATCH_EVENTS = [1024, 65_536] as const;
const BATCH_BYTES = [262_144, 2_097_152] as const;
const BATCH_LATENCY_MS = [100, 10_000] as const;
const HEARTBEAT_MS = { fallback: 1000, min: 100, max: 60_000 } as const;
const FILTERS_MAX = 1024;
const FIELDS_MAX = 1024;
const NAME_BYTES_MAX = 256;
/**
 * Bytes on the way between the threads before the inspector itself drops: ample, as what is lost there is the newest, whatever
 * the policy says.
 */
const CROSSING_BYTES_MIN = 8_388_608;
/** Smallest backlog: below it a batch of default size would never find room beside another. */
const BACKLOG_BYTES_MIN = 65_536;

/** What a request means, once checked. */
export interface StreamPlan {
  readonly start: 'beginning' | 'live';
  readonly rendering: Rendering;
  readonly policy: OverflowPolicyName;
  readonly backlogBytesMax: number;
  readonly feed: FeedRequest;
}

/** Throws StrataError: INVALID_ARGUMENT with the member's name, NOT_FOUND, FAILED_PRECONDITION, UNIMPLEMENTED. */
export function planStream(
  request: StreamEventsRequest,
  isCaptureFile: boolean,
  limits: StreamLimits,
): StreamPlan {
  const source = checkSource(request.source);
  const delivery = checkDeliveryMode(request.deliveryMode);
  const start = checkStart(request, isCaptureFile);
  const policy = checkPolicy(request.overflowPolicy, start);
  if (request.eventsMax === 0n) throw invalidArgument('events_max', 'events_max must be at least 1');
  const rendering = chooseRendering(request);
  const batch = request.batchLimits;
  const backlogBytesMax = Math.max(
    BACKLOG_BYTES_MIN,
    capped(Number(request.backlogBytesMax), limits.backlogBytesMax, limits.backlogBytesMax),
  );
  return {
    start,
    rendering,
    policy,
    backlogBytesMax,
    feed: {
      source,
      filters: request.filters.length === 0 ? [MATCH_ALL] : numberFilters(request.filters, 0),
      projection: checkProjection(request, rendering),
      delivery,
      batchEventsMax: capped(batch?.eventsMax ?? 0, ...BATCH_EVENTS),
      batchBytesMax: capped(batch?.bytesMax ?? 0, ...BATCH_BYTES),
      batchLatencyMs: capped(batch?.latencyMsMax ?? 0, ...BATCH_LATENCY_MS),
      eventsMax: request.eventsMax === undefined ? Number.POSITIVE_INFINITY : Number(request.eventsMax),
      markIntervalMs: checkHeartbeat(request.heartbeatIntervalMs),
      creditBytes: policy === 'block' ? backlogBytesMax : Math.max(backlogBytesMax, CROSSING_BYTES_MIN),
      holdsSource: start === 'beginning',
    },
  };
}

/** The filter of a subscription that asked for none. */
const MATCH_ALL: FeedFilter = { id: 0, name: '', condition: '' };

/** Returns the name of the source meant. */
export function checkSource(source: string): string {
  if (source === '' || source === SYSCALL_SOURCE) return SYSCALL_SOURCE;
  throw new StrataError({
    code: 'NOT_FOUND',
    message: `unknown event source "${source}"`,
    reason: 'UNKNOWN_SOURCE',
    field: 'source',
    suggestions: [SYSCALL_SOURCE],
  });
}

/** Gives filters their numbers, counting from `firstId`. Throws for names that repeat or are too long. */
export function numberFilters(filters: readonly NamedFilter[], firstId: number): FeedFilter[] {
  if (filters.length > FILTERS_MAX) {
    throw invalidArgument('filters', `at most ${FILTERS_MAX} filters per subscription`);
  }
  const names = new Set<string>();
  return filters.map(({ name, condition }, index) => {
    const field = `filters[${index}].name`;
    if (Buffer.byteLength(name) > NAME_BYTES_MAX) {
      throw invalidArgument(field, `a filter name has at most ${NAME_BYTES_MAX} bytes`);
    }
    if (name === '' && filters.length > 1) {
      throw invalidArgument(field, 'with more than one filter each needs a name');
    }
    if (names.has(name)) throw invalidArgument(field, `the name "${name}" is used twice`);
    names.add(name);
    return { id: firstId + index, name, condition };
  });
}

function capped(asked: number, fallback: number, max: number): number {
  return asked === 0 ? fallback : Math.min(asked, max);
}

const DELIVERIES: Readonly<Partial<Record<DeliveryMode, DeliveryName>>> = {
  [DeliveryMode.UNSPECIFIED]: 'immediate',
  [DeliveryMode.IMMEDIATE]: 'immediate',
  [DeliveryMode.COMPLETE]: 'complete',
};

function checkDeliveryMode(mode: DeliveryMode): DeliveryName {
  const delivery = DELIVERIES[mode];
  if (delivery === undefined) throw invalidArgument('delivery_mode', `unknown delivery mode ${String(mode)}`);
  return delivery;
}

function checkHeartbeat(intervalMs: number): number {
  if (intervalMs === 0) return HEARTBEAT_MS.fallback;
  if (intervalMs >= HEARTBEAT_MS.min && intervalMs <= HEARTBEAT_MS.max) return intervalMs;
  const range = `between ${HEARTBEAT_MS.min} and ${HEARTBEAT_MS.max}`;
  throw invalidArgument('heartbeat_interval_ms', `heartbeat_interval_ms must be 0 or ${range}`);
}

function checkStart(request: StreamEventsRequest, isCaptureFile: boolean): 'beginning' | 'live' {
  switch (request.start?.$case) {
    case 'beginning':
      if (isCaptureFile) return 'beginning';
      throw new StrataError({
        code: 'FAILED_PRECONDITION',
        message: 'this server captures live: there is no beginning to start from',
        reason: 'NOT_A_CAPTURE_FILE',
        field: 'beginning',
      });
    case 'live':
      return 'live';
    case 'resume':
      throw unimplemented(
        'subscriptions cannot be resumed: this version forgets them when their stream is cut',
      );
    case undefined:
      return isCaptureFile ? 'beginning' : 'live';
  }
}

const POLICIES: Readonly<Partial<Record<OverflowPolicy, OverflowPolicyName>>> = {
  [OverflowPolicy.DROP_OLDEST]: 'drop-oldest',
  [OverflowPolicy.DROP_NEWEST]: 'drop-newest',
  [OverflowPolicy.DISCONNECT]: 'disconnect',
  [OverflowPolicy.BLOCK]: 'block',
};

function checkPolicy(asked: OverflowPolicy, start: 'beginning' | 'live'): OverflowPolicyName {
  if (asked === OverflowPolicy.UNSPECIFIED) return start === 'beginning' ? 'block' : 'drop-oldest';
  const policy = POLICIES[asked];
  if (policy === undefined) throw invalidArgument('overflow_policy', `unknown overflow policy ${asked}`);
  if (policy === 'block' && start === 'live') {
    throw invalidArgument(
      'overflow_policy',
      'BLOCK would hold up all other subscriptions: it is for replays from the beginning only',
    );
  }
  return policy;
}

function chooseRendering(request: StreamEventsRequest): Rendering {
  switch (request.rendering) {
    case Rendering.UNSPECIFIED:
      return request.outputFormat !== '' || request.outputPreset !== OutputPreset.UNSPECIFIED
        ? Rendering.TEXT
        : Rendering.TYPED;
    case Rendering.TYPED:
    case Rendering.TEXT:
    case Rendering.JSON:
      return request.rendering;
    default:
      throw invalidArgument('rendering', `unknown rendering ${String(request.rendering)}`);
  }
}

const PRESETS: Readonly<Partial<Record<OutputPreset, PresetName>>> = {
  [OutputPreset.DEFAULT]: 'default',
  [OutputPreset.CONTAINER]: 'container',
  [OutputPreset.KUBERNETES]: 'kubernetes',
};

function checkProjection(request: StreamEventsRequest, rendering: Rendering): Projection {
  const { fields, outputFormat, outputPreset } = request;
  if (rendering === Rendering.TEXT) {
    if (fields.length > 0) throw invalidArgument('fields', 'TEXT takes its fields from the output format');
    if (outputPreset === OutputPreset.UNSPECIFIED) {
      if (outputFormat !== '') return { kind: 'text', template: outputFormat };
      throw invalidArgument('output_format', 'TEXT needs an output format or a preset');
    }
    if (outputFormat !== '') {
      throw invalidArgument('output_preset', 'an output format and a preset exclude each other');
    }
    const preset = PRESETS[outputPreset];
    if (preset === undefined) throw invalidArgument('output_preset', `unknown preset ${outputPreset}`);
    return { kind: 'preset', preset };
  }
  if (outputFormat !== '' || outputPreset !== OutputPreset.UNSPECIFIED) {
    const member = outputFormat !== '' ? 'output_format' : 'output_preset';
    throw invalidArgument(member, 'output formats and presets are for the TEXT rendering');
  }
  if (fields.length === 0) throw invalidArgument('fields', 'at least one field is needed');
  if (fields.length > FIELDS_MAX)
    throw invalidArgument('fields', `at most ${FIELDS_MAX} fields per subscription`);
  return { kind: rendering === Rendering.TYPED ? 'typed' : 'json', fields };
}
