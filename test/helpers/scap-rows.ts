/** Rows of initial state with a default for everything. */
import type {
  FdEntry,
  GroupEntry,
  InterfaceEntry,
  MachineEntry,
  ThreadEntry,
  UserEntry,
} from '../../server/event/snapshot.ts';

export function machineRow(row: Partial<MachineEntry> = {}): MachineEntry {
  return {
    cpuCount: 4,
    memoryBytes: 8_589_934_592n,
    maxPid: 4_194_304n,
    hostname: 'node-1',
    bootTsNs: 1_600_000_000_000_000_000n,
    flags: 0n,
    ...row,
  };
}

export function interfaceRow(row: Partial<InterfaceEntry> = {}): InterfaceEntry {
  const n = row.family === 6 ? 16 : 4;
  return {
    family: 4,
    name: 'eth0',
    address: '\x0a\x00\x00\x01'.padEnd(n, '\x01'),
    netmask: '\xff'.repeat(n),
    broadcast: '\x0a\x00\x00\xff'.padEnd(n, '\xff'),
    linkSpeed: 1_000_000_000n,
    ...row,
  };
}

export function userRow(row: Partial<UserEntry> = {}): UserEntry {
  return { uid: 1000, gid: 1000, name: 'ada', homedir: '/home/ada', shell: '/bin/sh', ...row };
}

export function groupRow(row: Partial<GroupEntry> = {}): GroupEntry {
  return { gid: 1000, name: 'staff', ...row };
}

/** As an old file leaves it: what versions after the first brought has its default. */
export function oldThreadRow(row: Partial<ThreadEntry> = {}): ThreadEntry {
  return {
    tid: 100,
    pid: 100,
    ptid: 1,
    sid: -1,
    vpgid: -1,
    pgid: -1,
    comm: 'cat',
    exe: '/bin/cat',
    exepath: '',
    args: 'a.txt\0b.txt\0',
    cwd: '/tmp/',
    fdlimit: 1024,
    flags: 0,
    uid: 1000,
    gid: 1000,
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
    loginuid: 0xffffffff,
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
    ...row,
  };
}

/** A thread with every field set. */
export function threadRow(row: Partial<ThreadEntry> = {}): ThreadEntry {
  return oldThreadRow({
    sid: 90,
    vpgid: 2,
    pgid: 99,
    exepath: '/usr/bin/cat',
    vmsizeKb: 5000,
    vmrssKb: 300,
    vmswapKb: 1,
    pfmajor: 7,
    pfminor: 9_007_199_254_740_993n,
    env: 'A=1\0B=2\0',
    vtid: 3,
    vpid: 3,
    cgroups: 'cpu=/a\0memory=/b\0',
    root: '/',
    pidnsInitStartNs: 1_600_000_000_000_000_001n,
    tty: 34816,
    loginuid: 1000,
    exeWritable: true,
    capInheritable: 1,
    capPermitted: 0x1ffffffffff,
    capEffective: 3,
    exeUpperLayer: true,
    exeIno: 4711,
    exeInoCtimeNs: 1_500_000_000_000_000_001n,
    exeInoMtimeNs: 1_500_000_000_000_000_002n,
    exeFromMemfd: true,
    exeLowerLayer: true,
    ...row,
  });
}

/** A file unless `type` says otherwise. */
export function fdRow(row: Partial<FdEntry> = {}): FdEntry {
  return {
    fd: 3,
    ino: 77,
    type: 16,
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
    ...row,
  };
}
