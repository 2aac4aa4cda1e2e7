/** Fd list blocks (FDL), both versions. */
import type { FdEntry } from '../../event/snapshot.ts';
import type { BlockReader } from './block-reader.ts';
import { FD_KIND_UNSUPPORTED, fdPayload } from './fd-kinds.ts';

const NAME_BYTES_MAX = 1023;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Where a version 2 entry ends; undefined in version 1, whose entries have no length. */
type EntryEnd = number | undefined;

function readPayload(entry: Mutable<FdEntry>, from: BlockReader, end: EntryEnd): void {
  const payload = fdPayload(entry.type);
  switch (payload) {
    case 'none':
      return;
    case 'name':
      entry.name = from.text(NAME_BYTES_MAX, 'name');
      return;
    case 'file':
      entry.openFlags = from.u32('open flags');
      entry.name = from.text(NAME_BYTES_MAX, 'name');
      if (end !== undefined && from.remaining >= 4) entry.dev = from.u32('device');
      return;
    case 'inet4':
    case 'inet6': {
      const n = payload === 'inet4' ? 4 : 16;
      entry.sip = from.raw(n, 'source address');
      entry.dip = from.raw(n, 'destination address');
      entry.sport = from.u16('source port');
      entry.dport = from.u16('destination port');
      entry.l4proto = from.u8('protocol');
      return;
    }
    case 'inet4-server':
    case 'inet6-server':
      entry.dip = from.raw(payload === 'inet4-server' ? 4 : 16, 'address');
      entry.dport = from.u16('port');
      entry.l4proto = from.u8('protocol');
      return;
    case 'unix':
      entry.unixSource = from.u64('source pointer');
      entry.unixPeer = from.u64('peer pointer');
      entry.name = from.text(NAME_BYTES_MAX, 'path');
      return;
    default:
      // A kind of a newer writer: its payload is skipped by the entry's length.
      entry.name = `unknown-type:[${entry.type}]`;
      entry.type = FD_KIND_UNSUPPORTED;
  }
}

function readFd(from: BlockReader, end: EntryEnd): FdEntry {
  const entry: Mutable<FdEntry> = {
    fd: from.id('fd'),
    ino: from.u64('inode'),
    type: from.u8('type'),
    name: '',
    openFlags: 0,
    mountId: 0,
    dev: 0,
    sip: '',
    dip: '',
    sport: 0,
    dport: 0,
    l4proto: 0,
    unixSource: 0,
    unixPeer: 0,
  };
  readPayload(entry, from, end);
  return entry;
}

/** Reads the fds of one thread. `version`: 1, or 2 with a length before each entry. */
export function readFdList(
  from: BlockReader,
  version: 1 | 2,
  onFds: (tid: number, entries: readonly FdEntry[]) => void,
): void {
  const tid = from.id('tid');
  const entries: FdEntry[] = [];
  const blockEnd = from.limit;
  while (from.remaining >= 4) {
    if (version === 1) {
      entries.push(readFd(from, undefined));
      continue;
    }
    const start = from.at;
    const length = from.u32('entry length');
    if (length < 4 || length > blockEnd - start) {
      from.fail(`entry of ${length} bytes, expected 4 to ${blockEnd - start}`, start);
    }
    from.limit = start + length;
    entries.push(readFd(from, from.limit));
    from.at = from.limit;
    from.limit = blockEnd;
  }
  onFds(tid, entries);
}
