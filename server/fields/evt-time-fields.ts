/** `evt.*`: when the event happened. */
import { type Integer, nsSeconds, nsSubsecond, u64, u64Big } from '../event/u64.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { dateTimeNsText, dateTimeText, iso8601Text, timeNsText, timeText } from './params/time-text.ts';

const NS_PER_S = 1_000_000_000;
const row = rowsOf('evt');

/** A wall time: text for readers and conditions, the full timestamp for JSON. */
function wallTime(name: string, description: string, text: (hi: number, lo: number) => string): FieldRow {
  return row(name, 'string', 'NA', description, ({ record }) => text(record.tsHi, record.tsLo), {
    bindJson: () => epochNs,
  });
}

function epochNs({ record }: InspectedEvent): bigint {
  return u64Big(record.tsHi, record.tsLo);
}

function writeEpochNs({ record }: InspectedEvent, out: ByteWriter): boolean {
  out.decimalU64(record.tsHi, record.tsLo);
  return true;
}

/** Since the first system call of the capture; before it, since the epoch. */
function relativeNs(event: InspectedEvent): Integer {
  const { record } = event;
  const lo = record.tsLo - event.firstTsLo;
  const hi = record.tsHi - event.firstTsHi - (lo < 0 ? 1 : 0);
  return u64(hi >>> 0, lo >>> 0);
}

function wholeSeconds(ns: Integer): Integer {
  return typeof ns === 'bigint' ? Number(ns / 1_000_000_000n) : Math.floor(ns / NS_PER_S);
}

function subsecond(ns: Integer): number {
  return typeof ns === 'bigint' ? Number(ns % 1_000_000_000n) : ns % NS_PER_S;
}

/** Since the event before, whoever it was shown to: the same for every reader, also when asked for later. */
function deltaNs({ record, previousTsHi, previousTsLo }: InspectedEvent): number {
  const delta = (record.tsHi - previousTsHi) * 4294967296 + (record.tsLo - previousTsLo);
  // Sources merge per-CPU buffers; an event may be slightly older than the one before it.
  return Math.max(delta, 0);
}

/** The reference's JSON evaluates a difference twice per event and so always prints 0; readers of JSON expect that. */
const JSON_DELTA = { bindJson: () => () => 0 };

export const EVT_TIME_FIELDS: readonly FieldRow[] = [
  wallTime('evt.time', 'local wall time with nanoseconds', timeNsText),
  wallTime('evt.time.s', 'local wall time, whole seconds only', timeText),
  wallTime('evt.time.iso8601', 'UTC time in ISO 8601 form with nanoseconds', iso8601Text),
  wallTime('evt.datetime', 'local date and time with nanoseconds', dateTimeNsText),
  wallTime('evt.datetime.s', 'local date and time, whole seconds', dateTimeText),
  row('evt.rawtime', 'abstime', 'DEC', 'nanoseconds since the epoch', epochNs, {
    bindWrite: () => writeEpochNs,
  }),
  row('evt.rawtime.s', 'abstime', 'DEC', 'seconds part of the epoch time', ({ record }) =>
    nsSeconds(record.tsHi, record.tsLo),
  ),
  row('evt.rawtime.ns', 'abstime', '10_PADDED_DEC', 'sub-second part of the epoch time in ns', ({ record }) =>
    nsSubsecond(record.tsHi, record.tsLo),
  ),
  row('evt.reltime', 'reltime', '10_PADDED_DEC', 'ns since the first event of the capture', relativeNs),
  row('evt.reltime.s', 'reltime', 'DEC', 'seconds part of evt.reltime', (event) =>
    wholeSeconds(relativeNs(event)),
  ),
  row('evt.reltime.ns', 'reltime', '10_PADDED_DEC', 'sub-second part of evt.reltime', (event) =>
    subsecond(relativeNs(event)),
  ),
  row('evt.deltatime', 'reltime', 'DEC', 'ns since the previous event', deltaNs, JSON_DELTA),
  row(
    'evt.deltatime.s',
    'reltime',
    'DEC',
    'seconds part of evt.deltatime',
    (event) => Math.floor(deltaNs(event) / NS_PER_S),
    JSON_DELTA,
  ),
  row(
    'evt.deltatime.ns',
    'reltime',
    '10_PADDED_DEC',
    'sub-second part of evt.deltatime',
    (event) => deltaNs(event) % NS_PER_S,
    JSON_DELTA,
  ),
  row(
    'evt.outputtime',
    'string',
    'NA',
    'timestamp in the display mode selected on the command line',
    ({ record }) => timeNsText(record.tsHi, record.tsLo),
    { printOnly: true, bindJson: () => epochNs },
  ),
];

/** Enter and exit are one event since the exit-only schema: there is nothing to measure between them. */
const NO_LATENCY = { deprecated: true } as const;

export const EVT_LATENCY_FIELDS: readonly FieldRow[] = [
  row(
    'evt.latency',
    'reltime',
    'DEC',
    'time between enter and exit (no longer meaningful: enter events gone)',
    () => 0,
    NO_LATENCY,
  ),
  row('evt.latency.s', 'reltime', 'DEC', 'seconds part of evt.latency', () => 0, NO_LATENCY),
  row('evt.latency.ns', 'reltime', '10_PADDED_DEC', 'sub-second part of evt.latency', () => 0, NO_LATENCY),
  row('evt.latency.quantized', 'uint64', 'DEC', 'log10 bucket of the latency', () => 0, {
    tableOnly: true,
    deprecated: true,
  }),
  row('evt.latency.human', 'string', 'NA', 'latency as readable text', () => '0ns', NO_LATENCY),
  row('evt.wait_latency', 'reltime', 'DEC', 'time spent waiting (deprecated)', () => 0, NO_LATENCY),
];
