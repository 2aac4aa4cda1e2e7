/**
 * Event records for tests: parameters by name, everything else a default. Integers are packed by the table's type; text gets
 * its NUL; Buffers are taken as they are; parameters left out are empty, ones after the last given are left out of the record.
 */
import { EventRecord } from '../../server/event/event-record.ts';
import { EVENT_TABLE, type EventInfo, type ParamType } from '../../server/event/event-table.ts';
import { fixedWidth } from '../../server/event/param-width.ts';

export type ParamValue = number | bigint | string | Buffer | undefined;

export interface EventOptions {
  readonly tid?: number | bigint | undefined;
  /** Nanoseconds since the epoch. */
  readonly ts?: bigint | undefined;
  readonly num?: number | undefined;
  readonly cpu?: number | undefined;
  readonly flags?: number | undefined;
}

const HEADER_BYTES = 26;
const DEFAULT_TS = 1_700_000_000_000_000_000n;

/** The bytes of a record of the type named by its constant, e.g. `PPME_SYSCALL_OPEN_X`. */
export function buildEventBytes(
  code: string,
  params: Readonly<Record<string, ParamValue>> = {},
  options: EventOptions = {},
): Buffer {
  const info = EVENT_TABLE.find((row) => row.code === code);
  if (info === undefined) throw new Error(`no event type ${code}`);
  for (const name of Object.keys(params)) {
    if (!info.params.some((param) => param.name === name))
      throw new Error(`${code} has no parameter ${name}`);
  }
  return pack(
    info,
    info.params.map((param) => encode(param.type, params[param.name])),
    options,
  );
}

/** A record cursor over such bytes. */
export function buildEvent(
  code: string,
  params: Readonly<Record<string, ParamValue>> = {},
  options: EventOptions = {},
): EventRecord {
  const record = new EventRecord();
  loadEvent(record, buildEventBytes(code, params, options), options);
  return record;
}

/** Points an existing cursor at record bytes. */
export function loadEvent(record: EventRecord, bytes: Buffer, options: EventOptions = {}): void {
  record.attach(bytes);
  record.load(0, options.cpu ?? 0, options.flags ?? 0);
  record.num = options.num ?? record.num + 1;
}

function pack(info: EventInfo, values: readonly Buffer[], options: EventOptions): Buffer {
  let count = values.length;
  while (count > 0 && (values[count - 1] as Buffer).length === 0) count--;
  const lengthsAt = HEADER_BYTES;
  const bodyAt = lengthsAt + count * info.lengthSize;
  const body = Buffer.concat(values.slice(0, count));
  const bytes = Buffer.alloc(bodyAt + body.length);
  bytes.writeBigUInt64LE(options.ts ?? DEFAULT_TS, 0);
  bytes.writeBigInt64LE(BigInt(options.tid ?? 1000), 8);
  bytes.writeUInt32LE(bytes.length, 16);
  bytes.writeUInt16LE(info.id, 20);
  bytes.writeUInt32LE(count, 22);
  for (let i = 0; i < count; i++) {
    bytes.writeUIntLE((values[i] as Buffer).length, lengthsAt + i * info.lengthSize, info.lengthSize);
  }
  body.copy(bytes, bodyAt);
  return bytes;
}

function encode(type: ParamType, value: ParamValue): Buffer {
  if (value === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(value)) return value;
  if (typeof value === 'string') {
    return type === 'BYTEBUF' ? Buffer.from(value, 'latin1') : Buffer.from(`${value}\0`, 'latin1');
  }
  const width = fixedWidth(type) || 8;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 0);
  return bytes.subarray(0, width);
}

/** A SOCKADDR or half of a tuple as text: `1.2.3.4` or 16 bytes in hex for IPv6. */
function addressBytes(address: string): Buffer {
  return address.includes('.') ? Buffer.from(address.split('.').map(Number)) : Buffer.from(address, 'hex');
}

function portBytes(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(port, 0);
  return bytes;
}

/** SOCKADDR of an internet address: dotted, or 32 hex digits. */
export function sockaddr(address: string, port: number): Buffer {
  const ip = addressBytes(address);
  return Buffer.concat([Buffer.from([ip.length === 4 ? 2 : 10]), ip, portBytes(port)]);
}

/** SOCKTUPLE of internet addresses: dotted, or 32 hex digits. */
export function sockTuple(sip: string, sport: number, dip: string, dport: number): Buffer {
  const source = addressBytes(sip);
  const family = Buffer.from([source.length === 4 ? 2 : 10]);
  return Buffer.concat([family, source, portBytes(sport), addressBytes(dip), portBytes(dport)]);
}

/** SOCKTUPLE of a unix socket. */
export function unixTuple(source: bigint, peer: bigint, path: string): Buffer {
  const pointers = Buffer.alloc(16);
  pointers.writeBigUInt64LE(source, 0);
  pointers.writeBigUInt64LE(peer, 8);
  return Buffer.concat([Buffer.from([1]), pointers, Buffer.from(`${path}\0`, 'latin1')]);
}
