/** Event parameters in their own types. */
import type { EventRecord } from '../../event/event-record.ts';
import type { ParamType } from '../../event/event-table.ts';
import type { DynamicValue, FieldType, Scalar } from '../field.ts';

type Read = (record: EventRecord, index: number) => Scalar;

const signed: Read = (record, index) => record.signed(index);
const unsigned: Read = (record, index) => record.unsigned(index);
const text: Read = (record, index) => record.text(index);
const binary: Read = (record, index) => record.binary(index);
const truth: Read = (record, index) => record.number(index) !== 0;

const BYTES: readonly [FieldType, Read] = ['bytes', binary];
const TEXT: readonly [FieldType, Read] = ['string', text];
const WORD: readonly [FieldType, Read] = ['uint32', unsigned];
const SIGNED_WORD: readonly [FieldType, Read] = ['int32', signed];
const WIDE: readonly [FieldType, Read] = ['int64', signed];

/** Field type of each parameter type, and how its value is read. */
const TYPES: Readonly<Record<ParamType, readonly [FieldType, Read]>> = {
  NONE: BYTES,
  INT8: ['int16', signed],
  INT16: ['int16', signed],
  INT32: SIGNED_WORD,
  INT64: WIDE,
  UINT8: WORD,
  UINT16: WORD,
  UINT32: WORD,
  UINT64: ['uint64', unsigned],
  CHARBUF: TEXT,
  BYTEBUF: BYTES,
  ERRNO: WIDE,
  SOCKADDR: BYTES,
  SOCKTUPLE: BYTES,
  FD: WIDE,
  PID: WIDE,
  FDLIST: BYTES,
  FSPATH: TEXT,
  SYSCALLID: WORD,
  SIGTYPE: WORD,
  RELTIME: ['reltime', unsigned],
  ABSTIME: ['abstime', unsigned],
  PORT: ['port', unsigned],
  L4PROTO: WORD,
  SOCKFAMILY: WORD,
  BOOL: ['bool', truth],
  IPV4ADDR: ['ipaddr', binary],
  DYN: BYTES,
  FLAGS8: WORD,
  FLAGS16: WORD,
  FLAGS32: WORD,
  UID: WORD,
  GID: WORD,
  DOUBLE: ['double', (record, index) => record.view.getFloat64(record.paramOffsets[index] as number, true)],
  SIGSET: WORD,
  CHARBUFARRAY: BYTES,
  CHARBUF_PAIR_ARRAY: BYTES,
  IPV4NET: ['ipnet', binary],
  IPV6ADDR: ['ipaddr', binary],
  IPV6NET: ['ipnet', binary],
  IPADDR: ['ipaddr', binary],
  IPNET: ['ipnet', binary],
  MODE: WORD,
  FSRELPATH: TEXT,
  ENUMFLAGS8: WORD,
  ENUMFLAGS16: WORD,
  ENUMFLAGS32: WORD,
  FD32: SIGNED_WORD,
  PID32: SIGNED_WORD,
};

/** What an empty parameter of a type reads as: text as `<NA>`, numbers as 0, data as nothing. */
function emptyValue(type: FieldType): Scalar {
  if (type === 'string') return '<NA>';
  if (type === 'bool') return false;
  return type === 'bytes' || type === 'ipaddr' || type === 'ipnet' ? '' : 0;
}

/** The parameter's value with the type and print format the event table gives it; undefined beyond the record's parameters. */
export function rawParam(record: EventRecord, index: number): DynamicValue | undefined {
  const param = record.info.params[index];
  if (param === undefined || index >= record.paramCount) return undefined;
  const [type, read] = TYPES[param.type];
  const isReadable = !record.isEmpty(index) && (type !== 'double' || record.lengthOf(index) === 8);
  return { type, format: param.format, value: isReadable ? read(record, index) : emptyValue(type) };
}
