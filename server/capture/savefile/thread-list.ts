/** Thread list blocks (PL), every version. */
import type { ThreadEntry } from '../../event/snapshot.ts';
import type { BlockReader } from './block-reader.ts';

const PATH_BYTES_MAX = 1024;
const RUN_BYTES_MAX = 4096;
const ID_UNKNOWN = 0xffffffff;
/** Bytes of the open tail before two fields were inserted at its front: at most this many means they are not there. */
const OLD_TAIL_BYTES = 29;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What a field holds when the file is too old to have it. */
function emptyThread(): Mutable<ThreadEntry> {
  return {
    tid: 0,
    pid: 0,
    ptid: 0,
    sid: -1,
    vpgid: -1,
    pgid: -1,
    comm: '',
    exe: '',
    exepath: '',
    args: '',
    cwd: '',
    fdlimit: 0,
    flags: 0,
    uid: 0,
    gid: 0,
    vmsizeKb: 0,
    vmrssKb: 0,
    vmswapKb: 0,
    pfmajor: 0,
    pfminor: 0,
    env: '',
    vtid: -1,
    vpid: -1,
    cgroups: '',
    root: '',
    pidnsInitStartNs: 0n,
    tty: 0,
    loginuid: ID_UNKNOWN,
    exeWritable: false,
    capInheritable: 0,
    capPermitted: 0,
    capEffective: 0,
    exeUpperLayer: false,
    exeIno: 0,
    exeInoCtimeNs: 0n,
    exeInoMtimeNs: 0n,
    exeFromMemfd: false,
    exeLowerLayer: false,
  };
}

/** Some writers leave out the NUL that ends the last item. */
function endRun(run: string): string {
  return run === '' || run.endsWith('\0') ? run : `${run}\0`;
}

/** The open tail of a version 9 entry: fields in order, as many as fit. */
const TAIL: readonly {
  readonly bytes: number;
  readonly read: (entry: Mutable<ThreadEntry>, from: BlockReader) => void;
}[] = [
  {
    bytes: 8,
    read: (entry, from) => {
      entry.pidnsInitStartNs = from.u64Big('pidns start');
    },
  },
  {
    bytes: 4,
    read: (entry, from) => {
      entry.tty = from.u32('tty');
    },
  },
  {
    bytes: 4,
    read: (entry, from) => {
      entry.loginuid = from.u32('loginuid');
    },
  },
  {
    bytes: 1,
    read: (entry, from) => {
      entry.exeWritable = from.u8('exe_writable') !== 0;
    },
  },
  {
    bytes: 8,
    read: (entry, from) => {
      entry.capInheritable = from.u64('cap_inheritable');
    },
  },
  {
    bytes: 8,
    read: (entry, from) => {
      entry.capPermitted = from.u64('cap_permitted');
    },
  },
  {
    bytes: 8,
    read: (entry, from) => {
      entry.capEffective = from.u64('cap_effective');
    },
  },
  {
    bytes: 1,
    read: (entry, from) => {
      entry.exeUpperLayer = from.u8('exe_upper_layer') !== 0;
    },
  },
  {
    bytes: 8,
    read: (entry, from) => {
      entry.exeIno = from.u64('exe_ino');
    },
  },
  {
    bytes: 8,
    read: (entry, from) => {
      entry.exeInoCtimeNs = from.u64Big('exe_ino_ctime');
    },
  },
  {
    bytes: 8,
    read: (entry, from) => {
      entry.exeInoMtimeNs = from.u64Big('exe_ino_mtime');
    },
  },
  {
    bytes: 1,
    read: (entry, from) => {
      entry.exeFromMemfd = from.u8('exe_from_memfd') !== 0;
    },
  },
  {
    bytes: 1,
    read: (entry, from) => {
      entry.exeLowerLayer = from.u8('exe_lower_layer') !== 0;
    },
  },
  {
    bytes: 8,
    read: (entry, from) => {
      entry.pgid = from.id('pgid');
    },
  },
];

/** How many fields at the front of the tail an old tail lacks. */
const INSERTED_FIELDS = 2;

function readTail(entry: Mutable<ThreadEntry>, from: BlockReader): void {
  for (let i = from.remaining <= OLD_TAIL_BYTES ? INSERTED_FIELDS : 0; i < TAIL.length; i++) {
    const field = TAIL[i];
    // The reference tests each field by itself, so a short one may still fit behind a long one that did not.
    if (field !== undefined && from.remaining >= field.bytes) field.read(entry, from);
  }
}

function readThread(from: BlockReader, version: number): ThreadEntry {
  const entry = emptyThread();
  entry.tid = from.id('tid');
  entry.pid = from.id('pid');
  entry.ptid = from.id('ptid');
  if (version >= 6) entry.sid = from.id('sid');
  if (version >= 8) entry.vpgid = from.id('vpgid');
  entry.comm = from.text(PATH_BYTES_MAX, 'comm');
  entry.exe = from.text(PATH_BYTES_MAX, 'exe');
  if (version >= 7) entry.exepath = from.text(PATH_BYTES_MAX, 'exepath');
  entry.args = endRun(from.run(RUN_BYTES_MAX, 'args'));
  entry.cwd = from.text(PATH_BYTES_MAX, 'cwd');
  entry.fdlimit = from.i64('fdlimit');
  entry.flags = from.u32('flags');
  entry.uid = from.u32('uid');
  entry.gid = from.u32('gid');
  if (version >= 2) {
    entry.vmsizeKb = from.u32('vmsize');
    entry.vmrssKb = from.u32('vmrss');
    entry.vmswapKb = from.u32('vmswap');
    entry.pfmajor = from.u64('pfmajor');
    entry.pfminor = from.u64('pfminor');
  }
  if (version >= 3) entry.env = endRun(from.run(RUN_BYTES_MAX, 'env'));
  if (version >= 4) {
    entry.vtid = from.id('vtid');
    entry.vpid = from.id('vpid');
    entry.cgroups = from.run(RUN_BYTES_MAX, 'cgroups');
  }
  if (version >= 5) entry.root = from.text(PATH_BYTES_MAX, 'root');
  if (version >= 9) readTail(entry, from);
  return entry;
}

/** Reads every thread of the block. `version` is that of the block's id. */
export function readThreadList(
  from: BlockReader,
  version: number,
  onThread: (entry: ThreadEntry) => void,
): void {
  const blockEnd = from.limit;
  while (from.remaining >= 4) {
    if (version < 9) {
      onThread(readThread(from, version));
      continue;
    }
    const start = from.at;
    const length = from.u32('entry length');
    if (length < 4 || length > blockEnd - start) {
      from.fail(`entry of ${length} bytes, expected 4 to ${blockEnd - start}`, start);
    }
    from.limit = start + length;
    onThread(readThread(from, version));
    from.at = from.limit;
    from.limit = blockEnd;
  }
}
