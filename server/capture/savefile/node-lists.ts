/** Machine, interface and user blocks (MI, IL, UL), every version. */
import type { GroupEntry, InterfaceEntry, MachineEntry, UserEntry } from '../../event/snapshot.ts';
import type { BlockReader } from './block-reader.ts';

export const HOSTNAME_BYTES = 128;
const CREDENTIAL_BYTES_MAX = 255;
const INTERFACE_NAME_BYTES_MAX = 1023;

export const IF_IPV4 = 1;
export const IF_IPV6 = 2;
export const IF_IPV4_NO_SPEED = 3;
export const IF_IPV6_NO_SPEED = 4;

export const IDENTITY_USER = 0;
export const IDENTITY_GROUP = 1;

export function readMachine(from: BlockReader): MachineEntry {
  const cpuCount = from.u32('cpu count');
  const memoryBytes = from.u64Big('memory size');
  const maxPid = from.u64Big('max pid');
  const hostname = from.raw(HOSTNAME_BYTES, 'hostname');
  const bootTsNs = from.u64Big('boot time');
  const flags = from.u64Big('flags');
  from.skip(16, 'reserved fields');
  const nul = hostname.indexOf('\0');
  return {
    cpuCount,
    memoryBytes,
    maxPid,
    hostname: nul < 0 ? hostname : hostname.slice(0, nul),
    bootTsNs,
    flags,
  };
}

function readInterface(from: BlockReader, kind: number, nameBytes: number): InterfaceEntry {
  const family = kind === IF_IPV4 || kind === IF_IPV4_NO_SPEED ? 4 : 6;
  const n = family === 4 ? 4 : 16;
  const address = from.raw(n, 'address');
  const netmask = from.raw(n, 'netmask');
  const broadcast = from.raw(n, 'broadcast address');
  const linkSpeed = kind === IF_IPV4 || kind === IF_IPV6 ? from.u64Big('link speed') : undefined;
  return { family, name: from.raw(nameBytes, 'name'), address, netmask, broadcast, linkSpeed };
}

/** `version`: 1, or 2 with a length before each entry that does not count itself. */
export function readInterfaceList(from: BlockReader, version: 1 | 2): InterfaceEntry[] {
  const entries: InterfaceEntry[] = [];
  const blockEnd = from.limit;
  while (from.remaining >= 4) {
    if (version === 2) {
      const start = from.at;
      const length = from.u32('entry length');
      if (length > blockEnd - from.at) {
        from.fail(`entry of ${length} bytes, expected at most ${blockEnd - from.at}`, start);
      }
      from.limit = from.at + length;
    }
    const start = from.at;
    const kind = from.u16('kind');
    const nameBytes = from.u16('name length');
    if (nameBytes > INTERFACE_NAME_BYTES_MAX) {
      from.fail(`name of ${nameBytes} bytes, expected at most ${INTERFACE_NAME_BYTES_MAX}`, start + 2);
    }
    if (kind < IF_IPV4 || kind > IF_IPV6_NO_SPEED) from.fail(`address kind ${kind}, expected 1 to 4`, start);
    entries.push(readInterface(from, kind, nameBytes));
    if (version === 2) {
      from.at = from.limit;
      from.limit = blockEnd;
    }
  }
  return entries;
}

function readIdentity(
  from: BlockReader,
  onUser: (entry: UserEntry) => void,
  onGroup: (entry: GroupEntry) => void,
): void {
  const start = from.at;
  const kind = from.u8('kind');
  if (kind === IDENTITY_USER) {
    onUser({
      uid: from.u32('uid'),
      gid: from.u32('gid'),
      name: from.text(CREDENTIAL_BYTES_MAX, 'user name'),
      homedir: from.text(CREDENTIAL_BYTES_MAX, 'home directory'),
      shell: from.text(CREDENTIAL_BYTES_MAX, 'shell'),
    });
  } else if (kind === IDENTITY_GROUP) {
    onGroup({ gid: from.u32('gid'), name: from.text(CREDENTIAL_BYTES_MAX, 'group name') });
  } else {
    from.fail(`kind ${kind}, expected 0 (user) or 1 (group)`, start);
  }
}

/** `version`: 1, or 2 with a length before each entry that counts itself. */
export function readUserList(
  from: BlockReader,
  version: 1 | 2,
  onUser: (entry: UserEntry) => void,
  onGroup: (entry: GroupEntry) => void,
): void {
  const blockEnd = from.limit;
  while (from.remaining >= 4) {
    if (version === 1) {
      readIdentity(from, onUser, onGroup);
      continue;
    }
    const start = from.at;
    const length = from.u32('entry length');
    if (length < 4 || length > blockEnd - start) {
      from.fail(`entry of ${length} bytes, expected 4 to ${blockEnd - start}`, start);
    }
    from.limit = start + length;
    readIdentity(from, onUser, onGroup);
    from.at = from.limit;
    from.limit = blockEnd;
  }
}
