/** `evt.*`: which event this is and where it came from. */
import type { EventRecord } from '../event/event-record.ts';
import { EVENT_TABLE } from '../event/event-table.ts';
import { PPM_EVENT_MAX, PPME_ASYNCEVENT_E, PPME_GENERIC_X } from '../event/event-types.ts';
import { FLAG_DATA, SYSCALL_NAMES } from '../event/flag-tables.ts';
import { nearestNames } from '../event/nearest-names.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { type FieldArgument, FieldError, type FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';

const row = rowsOf('evt');

const NO_PLUGINS = 'no source plugin is loaded in this version';

/** The system call code of code 0 (unknown to the writer of the capture). */
const SC_UNKNOWN = 0;

/** System call codes by native x86-64 number: for calls that are newer than the program that wrote the capture. */
const CODE_BY_NATIVE = new Map<number, number>();
for (const [native, , code] of FLAG_DATA.syscallsX8664) CODE_BY_NATIVE.set(native, code);

/** Name of the call behind a generic event. */
function genericName(record: EventRecord): string | undefined {
  const code = record.unsignedNumber(0);
  if (code !== SC_UNKNOWN || record.isEmpty(1)) return SYSCALL_NAMES[code];
  return SYSCALL_NAMES[CODE_BY_NATIVE.get(record.unsignedNumber(1)) ?? SC_UNKNOWN];
}

/** Kind of an asynchronous event; undefined for the events the node itself made. */
function asyncType({ record }: InspectedEvent): string | undefined {
  if (record.info.source !== 'METAEVENT') return undefined;
  return record.type === PPME_ASYNCEVENT_E ? record.text(1) : record.info.name;
}

function eventType({ record }: InspectedEvent): string | undefined {
  if (record.type === PPME_GENERIC_X) return genericName(record);
  return record.type === PPME_ASYNCEVENT_E ? record.text(1) : record.info.name;
}

function syscallType({ record }: InspectedEvent): string | undefined {
  if (record.info.source !== 'SYSCALL') return undefined;
  return record.type === PPME_GENERIC_X ? genericName(record) : record.info.name;
}

/** Compiles `evt.type.is`: the argument is a type number or an event name, which stands for its first type, enter and exit. */
function bindTypeIs(argument: FieldArgument | undefined) {
  if (argument === undefined) throw new FieldError('evt.type.is needs an event type', 0);
  const [low, high] = typeRange(argument);
  return ({ record }: InspectedEvent) => (record.type >= low && record.type <= high ? 1 : 0);
}

function typeRange({ text, index }: FieldArgument): readonly [number, number] {
  if (index !== undefined) {
    if (index >= 0 && index < PPM_EVENT_MAX) return [index, index];
    throw new FieldError(`event types go from 0 to ${PPM_EVENT_MAX - 1}`, 0);
  }
  const info = EVENT_TABLE.find((each) => each.name === text);
  if (info !== undefined) return [info.id, info.id + 1];
  const names = new Set(EVENT_TABLE.map((each) => each.name));
  throw new FieldError(`unknown event type '${text}'`, 0, nearestNames(text, names));
}

export const EVT_GENERIC_FIELDS: readonly FieldRow[] = [
  row('evt.pluginname', 'string', 'NA', 'plugin that produced the event, if any', () => undefined, {
    unavailable: NO_PLUGINS,
  }),
  row('evt.plugininfo', 'string', 'NA', 'one-line summary made by the source plugin', () => undefined, {
    unavailable: NO_PLUGINS,
  }),
  row('evt.source', 'string', 'NA', 'data source of the event, e.g. syscall', (event) => event.source),
  row(
    'evt.is_async',
    'bool',
    'NA',
    'whether the event was injected asynchronously',
    ({ record }) => record.info.source === 'METAEVENT',
  ),
  row('evt.asynctype', 'string', 'NA', 'kind label of an asynchronous event', asyncType),
  row('evt.hostname', 'string', 'NA', 'name of the node (env override possible)', ({ state }) =>
    state.machine.hostname === '' ? undefined : state.machine.hostname,
  ),
];

export const EVT_TYPE_FIELDS: readonly FieldRow[] = [
  row(
    'evt.dir',
    'string',
    'DIR',
    '> for enter, < for exit',
    ({ record }) => (record.info.isEnter ? '>' : '<'),
    {
      deprecated: true,
    },
  ),
  row('evt.type', 'string', 'NA', 'event name, e.g. openat', eventType),
  row('evt.type.is', 'uint32', 'NA', '1 when the event has the type given as argument', () => 0, {
    argument: 'key required',
    bind: bindTypeIs,
    // The reference's JSON has no form for a number without a print format.
    bindJson: (argument) => {
      bindTypeIs(argument);
      return () => undefined;
    },
  }),
  row('syscall.type', 'string', 'NA', 'syscall name; null for events that are not syscalls', syscallType),
  // Captures count CPUs in 16 bits, the field is signed.
  row('evt.cpu', 'int16', 'ID', 'CPU the event was captured on', ({ record }) => (record.cpu << 16) >> 16),
];

export const EVT_NUMBER_FIELD: FieldRow = row(
  'evt.num',
  'uint64',
  'ID',
  'sequence number of the event in the capture',
  ({ record }) => record.num,
);
