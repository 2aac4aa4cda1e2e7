/** Bytes a parameter value takes by its wire type. */
import type { ParamType } from './event-table.ts';

const WIDTHS: Readonly<Record<ParamType, number>> = {
  NONE: 0,
  INT8: 1,
  UINT8: 1,
  FLAGS8: 1,
  ENUMFLAGS8: 1,
  SIGTYPE: 1,
  L4PROTO: 1,
  SOCKFAMILY: 1,
  INT16: 2,
  UINT16: 2,
  FLAGS16: 2,
  ENUMFLAGS16: 2,
  SYSCALLID: 2,
  PORT: 2,
  INT32: 4,
  UINT32: 4,
  FLAGS32: 4,
  ENUMFLAGS32: 4,
  UID: 4,
  GID: 4,
  MODE: 4,
  SIGSET: 4,
  FD32: 4,
  PID32: 4,
  IPV4ADDR: 4,
  BOOL: 4,
  INT64: 8,
  UINT64: 8,
  FD: 8,
  PID: 8,
  ERRNO: 8,
  RELTIME: 8,
  ABSTIME: 8,
  DOUBLE: 8,
  IPV6ADDR: 16,
  CHARBUF: 0,
  BYTEBUF: 0,
  SOCKADDR: 0,
  SOCKTUPLE: 0,
  FDLIST: 0,
  FSPATH: 0,
  FSRELPATH: 0,
  DYN: 0,
  CHARBUFARRAY: 0,
  CHARBUF_PAIR_ARRAY: 0,
  IPV4NET: 0,
  IPV6NET: 0,
  IPADDR: 0,
  IPNET: 0,
};

/** Bytes of a value of this type; 0 when its length varies. */
export function fixedWidth(type: ParamType): number {
  return WIDTHS[type];
}

/** Whether the value is a user or group id, for which all ones means none. */
export function isIdentityType(type: ParamType): boolean {
  return type === 'UID' || type === 'GID';
}
