/**
 * Event parameters as text. What depends on the event type (parameter type, print format, flag table) is bound once per
 * type, on first use; per event only the bound functions run.
 */

import type { EventRecord } from '../../event/event-record.ts';
import { EVENT_TABLE, type EventInfo, type ParamInfo, type ParamType } from '../../event/event-table.ts';
import { FLAG_DATA, SIGNAL_NAMES, SYSCALL_NAMES } from '../../event/flag-tables.ts';
import type { InspectedEvent } from '../../state/inspected-event.ts';
import { bytesText } from './bytes-text.ts';
import { absolutePathText } from './event-paths.ts';
import { type FlagWalk, flagText } from './flag-text.ts';
import { generalText, numberText } from './number-text.ts';
import { commandText, errnoText, fdListText, fdText, groupText, userText } from './param-values.ts';
import { socketAddressText, socketTupleText } from './socket-text.ts';
import { dateTimeNsText } from './time-text.ts';

type ToText = (event: InspectedEvent) => string;

/** The two texts of a parameter whose value is not empty. */
interface Texts {
  /** The value as it was passed: a number, a path. */
  readonly plain: ToText;
  /** What the value means (a flag's name, an fd's file, an absolute path); '' when it says nothing more. */
  readonly meaning: ToText;
}

/** One parameter of one event type. */
interface ParamText extends Texts {
  /** `name=`, with a blank before it when it is not the first. */
  readonly label: string;
  /** What stands for an empty value. */
  readonly empty: string;
  /** Whether `meaning` can say anything: most types have none, and the call is saved. */
  readonly hasMeaning: boolean;
}

const texts: (readonly ParamText[] | undefined)[] = new Array(EVENT_TABLE.length).fill(undefined);

function paramTexts(info: EventInfo): readonly ParamText[] {
  let list = texts[info.id];
  if (list === undefined) {
    list = info.params.map(paramText);
    texts[info.id] = list;
  }
  return list;
}

/** What `evt.arg` shows: the meaning where there is one, else the plain value. undefined beyond the record's parameters. */
export function argumentText(event: InspectedEvent, index: number): string | undefined {
  const { record } = event;
  if (index >= record.paramCount) return undefined;
  const text = paramTexts(record.info)[index] as ParamText;
  if (record.paramLengths[index] === 0) return text.empty;
  return (text.hasMeaning && text.meaning(event)) || text.plain(event);
}

/** What `evt.args` shows: `name=value` or `name=value(meaning)` of every parameter, separated by blanks. */
export function argumentsText(event: InspectedEvent): string {
  const { record } = event;
  const { paramLengths, paramCount } = record;
  const list = paramTexts(record.info);
  let all = '';
  for (let i = 0; i < paramCount; i++) {
    const text = list[i] as ParamText;
    all += text.label;
    if (paramLengths[i] === 0) {
      all += text.empty;
      continue;
    }
    all += text.plain(event);
    if (!text.hasMeaning) continue;
    const meaning = text.meaning(event);
    if (meaning !== '') all += `(${meaning})`;
  }
  return all;
}

/** Types whose empty value prints `NULL`; all others print `<NA>`. */
const NULL_TYPES: ReadonlySet<ParamType> = new Set(['BYTEBUF', 'SOCKTUPLE', 'FDLIST', 'CHARBUFARRAY', 'DYN']);

function paramText(param: ParamInfo, index: number): ParamText {
  const { plain, meaning } = textsOf(param.type, param, index);
  return {
    label: `${index === 0 ? '' : ' '}${param.name}=`,
    empty: NULL_TYPES.has(param.type) ? 'NULL' : '<NA>',
    plain,
    meaning,
    hasMeaning: meaning !== nothing,
  };
}

function nothing(): string {
  return '';
}

function only(plain: (record: EventRecord) => string): Texts {
  return { plain: (event) => plain(event.record), meaning: nothing };
}

/** A number in the parameter's format, and what it means. */
function named(param: ParamInfo, index: number, isSigned: boolean, meaning: ToText): Texts {
  const text = numberText(param.format, isSigned);
  return { plain: (event) => text(event.record, index), meaning };
}

/** The same, printed in decimal whatever the format says. */
function decimal(index: number, meaning: ToText): Texts {
  return { plain: (event) => `${event.record.signed(index)}`, meaning };
}

/** `type` is the parameter's own or, for a dynamic parameter, that of its present value. */
function textsOf(type: ParamType, param: ParamInfo, index: number): Texts {
  switch (type) {
    case 'INT8':
    case 'INT16':
    case 'INT32':
    case 'INT64':
      return named(param, index, true, nothing);
    case 'UINT8':
    case 'UINT16':
    case 'UINT32':
    case 'UINT64':
      return named(param, index, false, nothing);
    case 'FD':
    case 'FD32':
      return decimal(index, (event) => fdText(event, event.record.number(index)));
    case 'PID':
    case 'PID32':
      return decimal(index, (event) => commandText(event, event.record.number(index)));
    case 'ERRNO':
      return decimal(index, (event) => errnoText(event.record.number(index)));
    case 'UID':
      return decimal(index, (event) => userText(event, event.record.unsignedNumber(index)));
    case 'GID':
      return decimal(index, (event) => groupText(event, event.record.unsignedNumber(index)));
    case 'CHARBUF':
      return only((record) => record.text(index));
    case 'FSPATH':
    case 'FSRELPATH':
      return {
        plain: (event) => event.record.text(index),
        meaning: (event) => absolutePathText(event, index, param),
      };
    case 'BYTEBUF':
      return only((record) => bytesText(record.binary(index)));
    case 'CHARBUFARRAY':
      return only((record) => record.textList(index).join('.'));
    case 'SOCKADDR':
      return only((record) => socketAddressText(record.binary(index)));
    case 'SOCKTUPLE':
      return only((record) => socketTupleText(record.binary(index)));
    case 'FDLIST':
      return { plain: (event) => fdListText(event, index), meaning: nothing };
    case 'FLAGS8':
    case 'FLAGS16':
    case 'FLAGS32':
      return flags(param, index, 'bits');
    case 'ENUMFLAGS8':
    case 'ENUMFLAGS16':
    case 'ENUMFLAGS32':
      return flags(param, index, 'exact');
    case 'MODE': {
      const names = flagText(param.table, 'mode');
      return named(param, index, false, (event) => names(event.record.unsignedNumber(index)));
    }
    case 'SYSCALLID':
      return syscall(index);
    case 'SIGTYPE':
      return {
        plain: (event) => `${event.record.unsigned(index)}`,
        meaning: (event) => SIGNAL_NAMES[event.record.unsignedNumber(index)] ?? '',
      };
    case 'SIGSET':
      return only((record) => signalSetText(record.unsignedNumber(index)));
    case 'RELTIME':
      return duration(index);
    case 'ABSTIME':
      return only((record) => timestampText(record, index));
    case 'DYN':
      return dynamic(param, index);
    default:
      return only(() => '(n.a.)');
  }
}

function flags(param: ParamInfo, index: number, walk: FlagWalk): Texts {
  const names = flagText(param.table, walk);
  return {
    plain: (event) => `${event.record.unsigned(index)}`,
    meaning: (event) => names(event.record.unsignedNumber(index)),
  };
}

function syscall(index: number): Texts {
  return {
    plain: ({ record }) => {
      const code = record.unsignedNumber(index);
      return code < SYSCALL_NAMES.length ? `${code}` : '<unknown syscall>';
    },
    meaning: ({ record }) => SYSCALL_NAMES[record.unsignedNumber(index)] ?? '',
  };
}

function signalSetText(set: number): string {
  let text = '';
  for (let signal = 1; signal <= 32; signal++) {
    const name = SIGNAL_NAMES[signal];
    if ((set & (1 << (signal - 1))) === 0 || name === undefined) continue;
    text = text === '' ? name : `${text} ${name}`;
  }
  return text;
}

/** All bits set is "no time limit". */
function duration(index: number): Texts {
  return {
    plain: ({ record }) => (isAllOnes(record, index) ? 'none' : `${record.unsigned(index)}`),
    meaning: ({ record }) =>
      isAllOnes(record, index) ? '' : `${generalText(record.unsignedNumber(index) / 1_000_000_000)}s`,
  };
}

function isAllOnes(record: EventRecord, index: number): boolean {
  return record.number(index) === -1;
}

function timestampText(record: EventRecord, index: number): string {
  if (record.lengthOf(index) !== 8) return `${record.unsigned(index)}`;
  const at = record.paramOffsets[index] as number;
  return dateTimeNsText(record.view.getUint32(at + 4, true), record.view.getUint32(at, true));
}

/** A value whose first byte says which of the table's types follows. */
function dynamic(param: ParamInfo, index: number): Texts {
  const types = FLAG_DATA.dynamicParams[param.table ?? ''] ?? [];
  const choices = types.map((choice) => textsOf(choice.type as ParamType, param, index));
  const unknown: Texts = { plain: () => 'INVALID DYNAMIC PARAMETER', meaning: nothing };
  const choose = (record: EventRecord): Texts =>
    choices[record.bytes[record.paramOffsets[index] as number] as number] ?? unknown;
  return {
    plain: (event) => behindTypeByte(event, index, choose(event.record).plain),
    meaning: (event) => behindTypeByte(event, index, choose(event.record).meaning),
  };
}

/** Runs `text` with the record's cursor for the parameter moved past its type byte. */
function behindTypeByte(event: InspectedEvent, index: number, text: ToText): string {
  const { paramOffsets, paramLengths } = event.record;
  paramOffsets[index] = (paramOffsets[index] as number) + 1;
  paramLengths[index] = (paramLengths[index] as number) - 1;
  const result = text(event);
  paramOffsets[index] = (paramOffsets[index] as number) - 1;
  paramLengths[index] = (paramLengths[index] as number) + 1;
  return result;
}
