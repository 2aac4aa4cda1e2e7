/** Writes initial state in today's block versions: MI, IL v2, UL v2, PL v9, FDL v2. */
import type {
  FdEntry,
  GroupEntry,
  InterfaceEntry,
  MachineEntry,
  ThreadEntry,
  UserEntry,
} from '../../event/snapshot.ts';
import type { BlockEncoder } from './block-encoder.ts';
import { FDL_V2, IL_V2, MI, PL_V9, UL_V2 } from './block-types.ts';
import { FD_KIND_UNSUPPORTED, fdPayload } from './fd-kinds.ts';
import {
  HOSTNAME_BYTES,
  IDENTITY_GROUP,
  IDENTITY_USER,
  IF_IPV4,
  IF_IPV4_NO_SPEED,
  IF_IPV6,
  IF_IPV6_NO_SPEED,
} from './node-lists.ts';

// What readers take at most; the reference refuses the whole file for one longer text.
const PATH_BYTES_MAX = 1023;
const RUN_BYTES_MAX = 4096;
const CREDENTIAL_BYTES_MAX = 255;
/** A block is ended and another begun beyond this, so that readers with a limit take any state. */
const LIST_BYTES_MAX = 16_777_216;

export function encodeMachine(to: BlockEncoder, entry: MachineEntry): void {
  to.begin(MI);
  to.u32(entry.cpuCount);
  to.u64(entry.memoryBytes);
  to.u64(entry.maxPid);
  to.padded(entry.hostname, HOSTNAME_BYTES);
  to.u64(entry.bootTsNs);
  to.u64(entry.flags);
  to.u64(0);
  to.u64(0);
  to.end();
}

function encodeInterface(to: BlockEncoder, entry: InterfaceEntry): void {
  const lengthAt = to.at;
  to.u32(0);
  const hasSpeed = entry.linkSpeed !== undefined;
  if (entry.family === 4) to.u16(hasSpeed ? IF_IPV4 : IF_IPV4_NO_SPEED);
  else to.u16(hasSpeed ? IF_IPV6 : IF_IPV6_NO_SPEED);
  to.u16(Math.min(entry.name.length, PATH_BYTES_MAX));
  const n = entry.family === 4 ? 4 : 16;
  to.padded(entry.address, n);
  to.padded(entry.netmask, n);
  to.padded(entry.broadcast, n);
  if (entry.linkSpeed !== undefined) to.u64(entry.linkSpeed);
  to.raw(entry.name, PATH_BYTES_MAX);
  // Unlike in the other lists, the length does not count itself.
  to.patchU32(lengthAt, to.at - lengthAt - 4);
}

/** IPv4 addresses come first in the file, whatever their order here. */
export function encodeInterfaces(to: BlockEncoder, entries: readonly InterfaceEntry[]): void {
  if (entries.length === 0) return;
  to.begin(IL_V2);
  for (const family of [4, 6]) {
    for (const entry of entries) if (entry.family === family) encodeInterface(to, entry);
  }
  to.end();
}

export function encodeUsers(
  to: BlockEncoder,
  users: readonly UserEntry[],
  groups: readonly GroupEntry[],
): void {
  if (users.length + groups.length === 0) return;
  to.begin(UL_V2);
  for (const user of users) {
    const lengthAt = to.at;
    to.u32(0);
    to.u8(IDENTITY_USER);
    to.u32(user.uid);
    to.u32(user.gid);
    to.text(user.name, CREDENTIAL_BYTES_MAX);
    to.text(user.homedir, CREDENTIAL_BYTES_MAX);
    to.text(user.shell, CREDENTIAL_BYTES_MAX);
    to.patchU32(lengthAt, to.at - lengthAt);
  }
  for (const group of groups) {
    const lengthAt = to.at;
    to.u32(0);
    to.u8(IDENTITY_GROUP);
    to.u32(group.gid);
    to.text(group.name, CREDENTIAL_BYTES_MAX);
    to.patchU32(lengthAt, to.at - lengthAt);
  }
  to.end();
}

function encodeThread(to: BlockEncoder, entry: ThreadEntry): void {
  const lengthAt = to.at;
  to.u32(0);
  for (const id of [entry.tid, entry.pid, entry.ptid, entry.sid, entry.vpgid]) to.u64(id);
  for (const text of [entry.comm, entry.exe, entry.exepath]) to.text(text, PATH_BYTES_MAX);
  to.text(entry.args, RUN_BYTES_MAX);
  to.text(entry.cwd, PATH_BYTES_MAX);
  to.u64(entry.fdlimit);
  for (const value of [entry.flags, entry.uid, entry.gid]) to.u32(value);
  for (const value of [entry.vmsizeKb, entry.vmrssKb, entry.vmswapKb]) to.u32(value);
  to.u64(entry.pfmajor);
  to.u64(entry.pfminor);
  to.text(entry.env, RUN_BYTES_MAX);
  to.u64(entry.vtid);
  to.u64(entry.vpid);
  to.text(entry.cgroups, RUN_BYTES_MAX);
  to.text(entry.root, PATH_BYTES_MAX);
  to.u64(entry.pidnsInitStartNs);
  to.u32(entry.tty);
  to.u32(entry.loginuid);
  to.u8(entry.exeWritable ? 1 : 0);
  to.u64(entry.capInheritable);
  to.u64(entry.capPermitted);
  to.u64(entry.capEffective);
  to.u8(entry.exeUpperLayer ? 1 : 0);
  to.u64(entry.exeIno);
  to.u64(entry.exeInoCtimeNs);
  to.u64(entry.exeInoMtimeNs);
  to.u8(entry.exeFromMemfd ? 1 : 0);
  to.u8(entry.exeLowerLayer ? 1 : 0);
  to.u64(entry.pgid);
  to.patchU32(lengthAt, to.at - lengthAt);
}

export function encodeThreads(to: BlockEncoder, entries: Iterable<ThreadEntry>): void {
  to.begin(PL_V9);
  let count = 0;
  for (const entry of entries) {
    if (to.blockBytes > LIST_BYTES_MAX) {
      to.end();
      to.begin(PL_V9);
    }
    encodeThread(to, entry);
    count++;
  }
  if (count > 0) to.end();
  else to.cancel();
}

function encodeFd(to: BlockEncoder, entry: FdEntry): void {
  const lengthAt = to.at;
  to.u32(0);
  to.u64(entry.fd);
  to.u64(entry.ino);
  const payload = fdPayload(entry.type);
  to.u8(payload === undefined ? FD_KIND_UNSUPPORTED : entry.type);
  switch (payload) {
    case 'none':
      break;
    case 'file':
      to.u32(entry.openFlags);
      to.text(entry.name, PATH_BYTES_MAX);
      to.u32(entry.dev);
      break;
    case 'inet4':
    case 'inet6': {
      const n = payload === 'inet4' ? 4 : 16;
      to.padded(entry.sip, n);
      to.padded(entry.dip, n);
      to.u16(entry.sport);
      to.u16(entry.dport);
      to.u8(entry.l4proto);
      break;
    }
    case 'inet4-server':
    case 'inet6-server':
      to.padded(entry.dip, payload === 'inet4-server' ? 4 : 16);
      to.u16(entry.dport);
      to.u8(entry.l4proto);
      break;
    case 'unix':
      to.u64(entry.unixSource);
      to.u64(entry.unixPeer);
      to.text(entry.name, PATH_BYTES_MAX);
      break;
    default:
      to.text(entry.name, PATH_BYTES_MAX);
  }
  to.patchU32(lengthAt, to.at - lengthAt);
}

export function encodeFds(to: BlockEncoder, tid: number, entries: readonly FdEntry[]): void {
  to.begin(FDL_V2);
  to.u64(tid);
  for (const entry of entries) {
    if (to.blockBytes > LIST_BYTES_MAX) {
      to.end();
      to.begin(FDL_V2);
      to.u64(tid);
    }
    encodeFd(to, entry);
  }
  to.end();
}
