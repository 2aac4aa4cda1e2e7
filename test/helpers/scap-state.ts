/** Bodies of state blocks in every version, by hand. */
import type {
  FdEntry,
  GroupEntry,
  InterfaceEntry,
  ThreadEntry,
  UserEntry,
} from '../../server/event/snapshot.ts';
import { ScapBytes } from './scap-bytes.ts';

/** Puts the length, which counts itself, before an entry. */
function counted(entry: Buffer): Buffer {
  return new ScapBytes()
    .u32(entry.length + 4)
    .raw(entry)
    .bytes();
}

/** `tailBytes` cuts the open tail of version 9, as older writers do. */
export function threadBytes(row: ThreadEntry, version: number, tailBytes = 76): Buffer {
  const body = new ScapBytes().u64(row.tid).u64(row.pid).u64(row.ptid);
  if (version >= 6) body.u64(row.sid);
  if (version >= 8) body.u64(row.vpgid);
  body.text(row.comm).text(row.exe);
  if (version >= 7) body.text(row.exepath);
  body.text(row.args).text(row.cwd).u64(row.fdlimit).u32(row.flags).u32(row.uid).u32(row.gid);
  if (version >= 2) {
    body.u32(row.vmsizeKb).u32(row.vmrssKb).u32(row.vmswapKb).u64(row.pfmajor).u64(row.pfminor);
  }
  if (version >= 3) body.text(row.env);
  if (version >= 4) body.u64(row.vtid).u64(row.vpid).text(row.cgroups);
  if (version >= 5) body.text(row.root);
  if (version < 9) return body.bytes();
  return counted(body.raw(threadTail(row).subarray(0, tailBytes)).bytes());
}

function threadTail(row: ThreadEntry): Buffer {
  return new ScapBytes().u64(row.pidnsInitStartNs).u32(row.tty).raw(oldThreadTail(row)).bytes();
}

/** The tail as it was before two fields came to its front. */
export function oldThreadTail(row: ThreadEntry): Buffer {
  return new ScapBytes()
    .u32(row.loginuid)
    .u8(row.exeWritable ? 1 : 0)
    .u64(row.capInheritable)
    .u64(row.capPermitted)
    .u64(row.capEffective)
    .u8(row.exeUpperLayer ? 1 : 0)
    .u64(row.exeIno)
    .u64(row.exeInoCtimeNs)
    .u64(row.exeInoMtimeNs)
    .u8(row.exeFromMemfd ? 1 : 0)
    .u8(row.exeLowerLayer ? 1 : 0)
    .u64(row.pgid)
    .bytes();
}

function fdPayloadBytes(row: FdEntry, version: number, hasDev: boolean): Buffer {
  const body = new ScapBytes();
  switch (row.type) {
    case 3:
    case 4:
      return body.raw(row.sip).raw(row.dip).u16(row.sport).u16(row.dport).u8(row.l4proto).bytes();
    case 5:
    case 6:
      return body.raw(row.dip).u16(row.dport).u8(row.l4proto).bytes();
    case 8:
      return body.u64(row.unixSource).u64(row.unixPeer).text(row.name).bytes();
    case 16:
      body.u32(row.openFlags).text(row.name);
      if (version === 2 && hasDev) body.u32(row.dev);
      return body.bytes();
    default:
      return body.text(row.name).bytes();
  }
}

export function fdBytes(row: FdEntry, version: number, hasDev = true): Buffer {
  const entry = new ScapBytes()
    .u64(row.fd)
    .u64(row.ino)
    .u8(row.type)
    .raw(fdPayloadBytes(row, version, hasDev))
    .bytes();
  return version === 2 ? counted(entry) : entry;
}

export function interfaceBytes(row: InterfaceEntry, version: number): Buffer {
  const kind = (row.family === 4 ? 1 : 2) + (row.linkSpeed === undefined ? 2 : 0);
  const body = new ScapBytes().u16(kind).u16(row.name.length);
  body.raw(row.address).raw(row.netmask).raw(row.broadcast);
  if (row.linkSpeed !== undefined) body.u64(row.linkSpeed);
  const entry = body.raw(row.name).bytes();
  // The one list whose entry length does not count itself.
  return version === 2 ? new ScapBytes().u32(entry.length).raw(entry).bytes() : entry;
}

export function userBytes(row: UserEntry, version: number): Buffer {
  const entry = new ScapBytes().u8(0).u32(row.uid).u32(row.gid);
  entry.text(row.name).text(row.homedir).text(row.shell);
  return version === 2 ? counted(entry.bytes()) : entry.bytes();
}

export function groupBytes(row: GroupEntry, version: number): Buffer {
  const entry = new ScapBytes().u8(1).u32(row.gid).text(row.name).bytes();
  return version === 2 ? counted(entry) : entry;
}
