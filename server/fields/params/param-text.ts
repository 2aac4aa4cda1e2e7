/**
 * Event parameters as text. What depends on the event type (parameter type, print format, flag table) is bound once per
 * type, on first use; per event only the bound functions run.
 */

import type { EventRecord } from '../../event/event-record.ts';
import { EVENT_TABLE, type EventInfo, type ParamInfo, type ParamType } from '../../event/event-table.ts';
import { FLAG_DATA, SIGNAL_NAMES, SYSCALL_NAMES } from '../../event/flag-tables.ts';
import type { InspectedEvent } from '../../state/inspected-event.ts';
import { socketAddressText, socketTupleText } from '../../state/socket-text.ts';
import { ByteWriter } from '../byte-writer.ts';
import { textEnd, writePrintable } from './bytes-text.ts';
import { absolutePathText } from './event-paths.ts';
import { type FlagWalk, flagText } from './flag-text.ts';
import { decimalSigned, generalText, numberText, plainUnsigned } from './number-text.ts';
import { commandText, errnoText, fdListText, groupText, userText, writeFd } from './param-values.ts';
import { dateTimeNsText } from './time-text.ts';

/** Appends a text, or nothing. */
type Write = (event: InspectedEvent, out: ByteWriter) => void;

/** The two texts of one parameter of one event type. Neither may be called for a parameter beyond the record's count. */
export interface ParamText {
  /** `name=`, with a blank in front of all but the first. */
  readonly label: string;
  /** The value as it was passed: a number, a path. */
  readonly plain: Write;
  /** What the value means (a flag's name, an fd's file, an absolute path); nothing when it says nothing more. */
  readonly meaning: Write;
}

const OPEN = 40;
const CLOSE = 41;

const texts: (readonly ParamText[] | undefined)[] = new Array(EVENT_TABLE.length).fill(undefined);
/** For callers who want a string. */
const scratch = new ByteWriter();

/** Texts of all parameters of an event type, by index. */
function paramTexts(info: EventInfo): readonly ParamText[] {
  let list = texts[info.id];
  if (list === undefined) {
    list = info.params.map((param, index) => paramText(param, index));
    texts[info.id] = list;
  }
  return list;
}

/** What `evt.arg` shows: the meaning where there is one, else the plain value. undefined beyond the record's parameters. */
export function argumentText(event: InspectedEvent, index: number): string | undefined {
  const { record } = event;
  if (index >= record.paramCount) return undefined;
  const text = paramTexts(record.info)[index] as ParamText;
  scratch.reset();
  text.meaning(event, scratch);
  if (scratch.length === 0) text.plain(event, scratch);
  return scratch.text();
}

/** What `evt.args` shows: `name=value` or `name=value(meaning)` of every parameter, separated by blanks. */
export function argumentsText(event: InspectedEvent): string {
  scratch.reset();
  writeArguments(event, scratch);
  return scratch.text();
}

/** Appends what `argumentsText` returns. */
export function writeArguments(event: InspectedEvent, out: ByteWriter): void {
  const { record } = event;
  const { paramCount } = record;
  const list = paramTexts(record.info);
  for (let i = 0; i < paramCount; i++) {
    const text = list[i] as ParamText;
    out.latin1(text.label);
    text.plain(event, out);
    if (text.meaning === nothing) continue;
    const before = out.length;
    out.byte(OPEN);
    text.meaning(event, out);
    if (out.length === before + 1) out.length = before;
    else out.byte(CLOSE);
  }
}

/** Types whose empty value prints `NULL`; all others print `<NA>`. */
const NULL_TYPES: ReadonlySet<ParamType> = new Set(['BYTEBUF', 'SOCKTUPLE', 'FDLIST', 'CHARBUFARRAY', 'DYN']);

function paramText(param: ParamInfo, index: number): ParamText {
  const { plain, meaning } = textsOf(param.type, param, index);
  const empty = NULL_TYPES.has(param.type) ? 'NULL' : '<NA>';
  return {
    label: `${index === 0 ? '' : ' '}${param.name}=`,
    plain: (event, out) => {
      if (event.record.paramLengths[index] === 0) out.latin1(empty);
      else plain(event, out);
    },
    meaning:
      meaning === nothing
        ? nothing
        : (event, out) => {
            if (event.record.paramLengths[index] !== 0) meaning(event, out);
          },
  };
}

interface Texts {
  readonly plain: Write;
  readonly meaning: Write;
}

function nothing(): void {}

function only(plain: (record: EventRecord) => string): Texts {
  return { plain: (event, out) => out.latin1(plain(event.record)), meaning: nothing };
}

/** A number in the parameter's format, and what it means. */
function named(param: ParamInfo, index: number, isSigned: boolean, meaning: Write): Texts {
  const text = numberText(param.format, isSigned);
  return { plain: (event, out) => text(event.record, index, out), meaning };
}

/** The same, printed in decimal whatever the format says. */
function decimal(index: number, meaning: Write): Texts {
  return { plain: (event, out) => decimalSigned(event.record, index, out), meaning };
}

/** Text up to its NUL, byte for byte. */
function writeText({ record }: InspectedEvent, index: number, out: ByteWriter): void {
  const from = record.paramOffsets[index] as number;
  out.range(record.bytes, from, textEnd(record.bytes, from, from + record.lengthOf(index)));
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
      return decimal(index, (event, out) => writeFd(event, event.record.number(index), out));
    case 'PID':
    case 'PID32':
      return decimal(index, (event, out) => out.latin1(commandText(event, event.record.number(index))));
    case 'ERRNO':
      return decimal(index, (event, out) => out.latin1(errnoText(event.record.number(index))));
    case 'UID':
      return decimal(index, (event, out) => out.latin1(userText(event, event.record.unsignedNumber(index))));
    case 'GID':
      return decimal(index, (event, out) => out.latin1(groupText(event, event.record.unsignedNumber(index))));
    case 'CHARBUF':
      return { plain: (event, out) => writeText(event, index, out), meaning: nothing };
    case 'FSPATH':
    case 'FSRELPATH':
      return {
        plain: (event, out) => writeText(event, index, out),
        meaning: (event, out) => out.latin1(absolutePathText(event, index, param)),
      };
    case 'BYTEBUF':
      return {
        plain: ({ record }, out) => {
          const from = record.paramOffsets[index] as number;
          writePrintable(out, record.bytes, from, from + record.lengthOf(index));
        },
        meaning: nothing,
      };
    case 'CHARBUFARRAY':
      return only((record) => record.textList(index).join('.'));
    case 'SOCKADDR':
      return only((record) => socketAddressText(record.binary(index)));
    case 'SOCKTUPLE':
      return only((record) => socketTupleText(record.binary(index)));
    case 'FDLIST':
      return { plain: (event, out) => out.latin1(fdListText(event, index)), meaning: nothing };
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
      return named(param, index, false, (event, out) =>
        out.latin1(names(event.record.unsignedNumber(index))),
      );
    }
    case 'SYSCALLID':
      return syscall(index);
    case 'SIGTYPE':
      return {
        plain: (event, out) => plainUnsigned(event.record, index, out),
        meaning: (event, out) => out.latin1(SIGNAL_NAMES[event.record.unsignedNumber(index)] ?? ''),
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
    plain: (event, out) => plainUnsigned(event.record, index, out),
    meaning: (event, out) => out.latin1(names(event.record.unsignedNumber(index))),
  };
}

function syscall(index: number): Texts {
  return {
    plain: ({ record }, out) => {
      const code = record.unsignedNumber(index);
      if (code < SYSCALL_NAMES.length) out.integer(code);
      else out.latin1('<unknown syscall>');
    },
    meaning: ({ record }, out) => out.latin1(SYSCALL_NAMES[record.unsignedNumber(index)] ?? ''),
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
    plain: ({ record }, out) => {
      if (isAllOnes(record, index)) out.latin1('none');
      else plainUnsigned(record, index, out);
    },
    meaning: ({ record }, out) => {
      if (isAllOnes(record, index)) return;
      out.latin1(`${generalText(record.unsignedNumber(index) / 1_000_000_000)}s`);
    },
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
  const unknown: Texts = {
    plain: (_event, out) => out.latin1('INVALID DYNAMIC PARAMETER'),
    meaning: nothing,
  };
  const choose = (record: EventRecord): Texts =>
    choices[record.bytes[record.paramOffsets[index] as number] as number] ?? unknown;
  return {
    plain: (event, out) => behindTypeByte(event, index, choose(event.record).plain, out),
    meaning: (event, out) => behindTypeByte(event, index, choose(event.record).meaning, out),
  };
}

/** Runs `text` with the record's cursor for the parameter moved past its type byte. */
function behindTypeByte(event: InspectedEvent, index: number, write: Write, out: ByteWriter): void {
  const { paramOffsets, paramLengths } = event.record;
  paramOffsets[index] = (paramOffsets[index] as number) + 1;
  paramLengths[index] = (paramLengths[index] as number) - 1;
  write(event, out);
  paramOffsets[index] = (paramOffsets[index] as number) - 1;
  paramLengths[index] = (paramLengths[index] as number) + 1;
}
