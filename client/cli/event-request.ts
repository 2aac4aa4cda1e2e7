/** From the options of `replay` and `events` to a StreamEvents request. */
import {
  DeliveryMode,
  OutputPreset,
  Rendering,
  StreamEventsRequest,
} from '../../proto/gen/strata/v1/event_service.ts';
import { usageError } from './cli-error.ts';
import type { PresetTemplates } from './colored-presets.ts';
import { readFieldList } from './field-list.ts';

/** What the two commands have in common, as commander parses it. */
export interface EventOptions {
  readonly fields?: string | undefined;
  readonly format?: string | undefined;
  readonly json?: boolean | undefined;
  readonly count?: number | undefined;
  readonly delivery?: DeliveryWord | undefined;
}

/** What `--delivery` takes. */
export const DELIVERY_WORDS = ['immediate', 'complete'] as const;
export type DeliveryWord = (typeof DELIVERY_WORDS)[number];

const DELIVERIES: Readonly<Record<DeliveryWord, DeliveryMode>> = {
  immediate: DeliveryMode.IMMEDIATE,
  complete: DeliveryMode.COMPLETE,
};

/** Fields of `--json` when none are named: those of the default line. */
const DEFAULT_JSON_FIELDS: readonly string[] = [
  'evt.num',
  'evt.time',
  'evt.cpu',
  'proc.name',
  'thread.tid',
  'evt.dir',
  'evt.type',
  'evt.info',
];

/** Values of `-p` that name a ready-made format: `-pc` is `-p c`. */
const PRESETS: ReadonlyMap<string, keyof PresetTemplates> = new Map([
  ['c', 'container'],
  ['container', 'container'],
  ['k', 'kubernetes'],
  ['kubernetes', 'kubernetes'],
]);

const PRESET_NUMBERS: Readonly<Record<keyof PresetTemplates, OutputPreset>> = {
  default: OutputPreset.DEFAULT,
  container: OutputPreset.CONTAINER,
  kubernetes: OutputPreset.KUBERNETES,
};

/** Large batches: a replay is read as fast as it can be written. A live stream is kept fresh by the latency. */
const BATCH_LIMITS = { eventsMax: 65_536, bytesMax: 2_097_152, latencyMsMax: 100 } as const;

/** Often enough for a progress bar that moves. */
const HEARTBEAT_INTERVAL_MS = 200;

/** A request, and the texts of the user that errors about its members point into. */
export interface EventQuery {
  readonly request: StreamEventsRequest;
  /** `filters[0].condition`, `fields[2]` or `output_format` -> what the user wrote there. */
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * Throws a CliError for options that exclude each other. `filterWords` are joined by spaces; `presets` replace the server's
 * ready-made templates.
 */
export function makeEventQuery(
  filterWords: readonly string[],
  options: EventOptions,
  start: StreamEventsRequest['start'],
  presets?: PresetTemplates | undefined,
): EventQuery {
  const condition = filterWords.join(' ').trim();
  const texts = new Map([['filters[0].condition', condition]]);
  const request = StreamEventsRequest.fromPartial({
    filters: [{ name: '', condition }],
    batchLimits: BATCH_LIMITS,
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
    eventsMax: options.count === undefined ? undefined : BigInt(options.count),
    deliveryMode: options.delivery === undefined ? DeliveryMode.UNSPECIFIED : DELIVERIES[options.delivery],
    ...projection(options, texts, presets),
  });
  return { request: { ...request, start }, texts };
}

type ProjectionMembers = Partial<
  Pick<StreamEventsRequest, 'fields' | 'outputFormat' | 'outputPreset' | 'rendering'>
>;

function projection(
  options: EventOptions,
  texts: Map<string, string>,
  presets: PresetTemplates | undefined,
): ProjectionMembers {
  const { fields, format, json } = options;
  if (format !== undefined && fields !== undefined) throw usageError('--fields and -p exclude each other');
  if (format !== undefined && json === true) {
    throw usageError('--json prints fields: name them with --fields instead of -p');
  }
  if (json === true) {
    const names = fields === undefined ? [...DEFAULT_JSON_FIELDS] : readFieldList(fields);
    for (const [index, name] of names.entries()) texts.set(`fields[${index}]`, name);
    return { fields: names, rendering: Rendering.JSON };
  }
  if (fields !== undefined) {
    const outputFormat = tabSeparated(readFieldList(fields));
    texts.set('output_format', outputFormat);
    return { outputFormat, rendering: Rendering.TEXT };
  }
  const preset = format === undefined ? 'default' : PRESETS.get(format);
  if (preset !== undefined) {
    return presets === undefined
      ? { outputPreset: PRESET_NUMBERS[preset], rendering: Rendering.TEXT }
      : { outputFormat: presets[preset], rendering: Rendering.TEXT };
  }
  const outputFormat = format ?? '';
  texts.set('output_format', outputFormat);
  return { outputFormat, rendering: Rendering.TEXT };
}

/** A line of values separated by tabs, with `<NA>` for absent ones, is a template too: the server renders it. */
function tabSeparated(names: readonly string[]): string {
  return `*${names.map((name) => `%${name}`).join('\t')}`;
}
