/** Rows of the `fd` class, in the order they are listed. */
import {
  FD_FLAG_OVERLAY_LOWER,
  FD_FLAG_OVERLAY_UPPER,
  FD_FLAG_SOCKET_CONNECTED,
  type FdInfo,
} from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import {
  FD_ADDRESS_FIELDS,
  FD_HOST_NAME_FIELDS,
  FD_NET_FIELDS,
  FD_PORT_FIELDS,
  FD_SERVICE_FIELDS,
} from './fd-address-fields.ts';
import { fdProtocol, isIpSocket, protocolWord } from './fd-kinds.ts';
import { FD_CONTAINER_FIELDS, FD_NAME_FIELDS, FD_RAW_NAME_FIELD } from './fd-name-fields.ts';
import { concernsFd, fdOfEvent } from './fd-of-event.ts';
import { isServer } from './fd-sides.ts';
import { FD_TYPES_FIELD } from './fd-types-field.ts';
import type { Extractor, FieldRow, FieldValue } from './field.ts';
import { rowsOf } from './field-row.ts';

const row = rowsOf('fd');

/** Reads a value from the event's fd; absent when there is none. */
function ofFd(read: (fd: FdInfo, event: InspectedEvent) => FieldValue): Extractor {
  return (event) => {
    const fd = fdOfEvent(event);
    return fd === undefined ? undefined : read(fd, event);
  };
}

function hasFlag(flag: number): Extractor {
  return ofFd((fd) => (fd.flags & flag) !== 0);
}

function socketFamily(fd: FdInfo): string | undefined {
  if (isIpSocket(fd.type)) return 'ip';
  return fd.isUnixSocket() ? 'unix' : undefined;
}

/** Device numbers as the kernel encodes them for user space: 12 bits of major amid 20 of minor. */
function deviceMajor(device: number): number {
  return (device >>> 8) & 0xfff;
}

function deviceMinor(device: number): number {
  return (device & 0xff) | ((device >>> 12) & 0xfff00);
}

export const FD_FIELDS: readonly FieldRow[] = [
  row('fd.num', 'int64', 'ID', 'fd number', (event) => (concernsFd(event) ? event.fdNumber : undefined)),
  ...FD_NAME_FIELDS,
  ...FD_ADDRESS_FIELDS,
  ...FD_PORT_FIELDS,
  row(
    'fd.l4proto',
    'string',
    'NA',
    'transport: tcp, udp, icmp, raw',
    ofFd((fd) => protocolWord(fdProtocol(fd))),
  ),
  row('fd.sockfamily', 'string', 'NA', 'ip or unix', ofFd(socketFamily)),
  row('fd.is_server', 'bool', 'NA', 'owner is the server side', ofFd(isServer)),
  row('fd.uid', 'string', 'NA', 'tid and fd number joined', (event) =>
    concernsFd(event) ? `${event.thread?.tid}${event.fdNumber}` : undefined,
  ),
  ...FD_CONTAINER_FIELDS,
  ...FD_SERVICE_FIELDS,
  ...FD_NET_FIELDS,
  row('fd.connected', 'bool', 'NA', 'socket is connected', hasFlag(FD_FLAG_SOCKET_CONNECTED)),
  row(
    'fd.name_changed',
    'bool',
    'NA',
    'this event changed the name of the fd',
    ofFd((_, event) => event.fdNameChanged),
  ),
  ...FD_HOST_NAME_FIELDS,
  row(
    'fd.dev',
    'int32',
    'HEX',
    'device number of the file',
    ofFd((fd) => fd.dev),
  ),
  row(
    'fd.dev.major',
    'int32',
    'DEC',
    'major device number',
    ofFd((fd) => deviceMajor(fd.dev)),
  ),
  row(
    'fd.dev.minor',
    'int32',
    'DEC',
    'minor device number',
    ofFd((fd) => deviceMinor(fd.dev)),
  ),
  row(
    'fd.ino',
    'int64',
    'DEC',
    'inode number',
    ofFd((fd) => fd.ino),
  ),
  FD_RAW_NAME_FIELD,
  FD_TYPES_FIELD,
  row(
    'fd.is_upper_layer',
    'bool',
    'NA',
    'file lives in the overlayfs upper layer',
    hasFlag(FD_FLAG_OVERLAY_UPPER),
  ),
  row(
    'fd.is_lower_layer',
    'bool',
    'NA',
    'file lives in the overlayfs lower layer',
    hasFlag(FD_FLAG_OVERLAY_LOWER),
  ),
];
