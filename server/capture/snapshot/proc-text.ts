/**
 * The texts of /proc files about a thread. Whatever the text, the parsers end and answer: fields that are missing or no
 * numbers keep their defaults.
 */
import type { Integer } from '../../event/u64.ts';

/** Flag of a kernel thread in the flags word of `stat`. */
const PF_KTHREAD = 0x200000;

export interface StatText {
  comm: string;
  state: string;
  /** Pid of the parent process. */
  ppid: number;
  pgid: number;
  sid: number;
  tty: number;
  isKernelThread: boolean;
  pfminor: number;
  pfmajor: number;
  /** Threads of the process. */
  threadCount: number;
  /** Clock ticks (1/100 s) since boot. */
  startTicks: number;
}

/** /proc/TID/stat; undefined when it is none. The name may hold any byte: it ends at the last parenthesis. */
export function parseStat(text: string): StatText | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).split(' ');
  if (fields.length < 20) return undefined;
  const at = (index: number) => numberOf(fields[index] as string);
  return {
    comm: text.slice(open + 1, close),
    state: fields[0] as string,
    ppid: at(1),
    pgid: at(2),
    sid: at(3),
    tty: at(4) >>> 0,
    isKernelThread: (at(6) & PF_KTHREAD) !== 0,
    pfminor: at(7),
    pfmajor: at(9),
    threadCount: at(17),
    startTicks: at(19),
  };
}

export interface StatusText {
  pid: number;
  ptid: number;
  /** Effective ids. */
  uid: number;
  gid: number;
  groups: readonly number[];
  /** Ids as the thread itself sees them; undefined before Linux 4.1. */
  vtid: number | undefined;
  vpid: number | undefined;
  vpgid: number | undefined;
  vmsizeKb: number;
  vmrssKb: number;
  vmswapKb: number;
  capInheritable: Integer;
  capPermitted: Integer;
  capEffective: Integer;
}

type StatusLine = (status: StatusText, value: string) => void;

const STATUS_LINES: ReadonlyMap<string, StatusLine> = new Map<string, StatusLine>([
  [
    'Tgid',
    (status, value) => {
      status.pid = numberOf(value);
    },
  ],
  [
    'PPid',
    (status, value) => {
      status.ptid = numberOf(value);
    },
  ],
  [
    'Uid',
    (status, value) => {
      status.uid = column(value, 1);
    },
  ],
  [
    'Gid',
    (status, value) => {
      status.gid = column(value, 1);
    },
  ],
  [
    'Groups',
    (status, value) => {
      status.groups = value
        .split(' ')
        .filter((item) => item !== '')
        .map(numberOf);
    },
  ],
  [
    'NStgid',
    (status, value) => {
      status.vpid = lastColumn(value);
    },
  ],
  [
    'NSpid',
    (status, value) => {
      status.vtid = lastColumn(value);
    },
  ],
  [
    'NSpgid',
    (status, value) => {
      status.vpgid = lastColumn(value);
    },
  ],
  [
    'VmSize',
    (status, value) => {
      status.vmsizeKb = numberOf(value);
    },
  ],
  [
    'VmRSS',
    (status, value) => {
      status.vmrssKb = numberOf(value);
    },
  ],
  [
    'VmSwap',
    (status, value) => {
      status.vmswapKb = numberOf(value);
    },
  ],
  [
    'CapInh',
    (status, value) => {
      status.capInheritable = hexOf(value);
    },
  ],
  [
    'CapPrm',
    (status, value) => {
      status.capPermitted = hexOf(value);
    },
  ],
  [
    'CapEff',
    (status, value) => {
      status.capEffective = hexOf(value);
    },
  ],
]);

/** /proc/TID/status; undefined when it names no process. */
export function parseStatus(text: string): StatusText | undefined {
  const status: StatusText = {
    pid: -1,
    ptid: 0,
    uid: 0xffffffff,
    gid: 0xffffffff,
    groups: [],
    vtid: undefined,
    vpid: undefined,
    vpgid: undefined,
    vmsizeKb: 0,
    vmrssKb: 0,
    vmswapKb: 0,
    capInheritable: 0,
    capPermitted: 0,
    capEffective: 0,
  };
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf('\n', at);
    if (end < 0) end = text.length;
    const colon = text.indexOf(':', at);
    if (colon < 0) break;
    if (colon < end) STATUS_LINES.get(text.slice(at, colon))?.(status, text.slice(colon + 1, end).trim());
    at = end + 1;
  }
  return status.pid < 0 ? undefined : status;
}

/** The soft limit of open files in /proc/PID/limits; -1 when there is none or it is unlimited. */
export function parseFdLimit(text: string): number {
  const at = text.indexOf('Max open files');
  if (at < 0) return -1;
  const value = Number.parseInt(text.slice(at + 14, at + 40), 10);
  return Number.isSafeInteger(value) ? value : -1;
}

export interface FdInfoText {
  /** Native flags, close-on-exec among them. */
  flags: number;
  mountId: number;
  /** 0 before Linux 5.14. */
  ino: Integer;
}

/** /proc/PID/fdinfo/FD. Kinds of fd add lines of their own behind the common ones. */
export function parseFdInfo(text: string): FdInfoText {
  return {
    flags: Number.parseInt(lineValue(text, 'flags:'), 8) | 0,
    mountId: numberOf(lineValue(text, 'mnt_id:')),
    ino: integerOf(lineValue(text, 'ino:')),
  };
}

/** What follows `key` at the start of a line. */
function lineValue(text: string, key: string): string {
  const at = text.startsWith(key) ? 0 : text.indexOf(`\n${key}`) + 1;
  if (at === 0 && !text.startsWith(key)) return '';
  const end = text.indexOf('\n', at);
  return text.slice(at + key.length, end < 0 ? text.length : end).trim();
}

/** The leading decimal number; 0 when there is none. */
export function numberOf(text: string): number {
  const value = Number.parseInt(text, 10);
  return Number.isSafeInteger(value) ? value : 0;
}

/** A decimal number of up to 64 bits. */
export function integerOf(text: string): Integer {
  if (!/^\d{1,20}$/.test(text)) return 0;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt.asUintN(64, BigInt(text));
}

/** A hexadecimal number of up to 64 bits. */
export function hexOf(text: string): Integer {
  if (!/^[0-9a-fA-F]{1,16}$/.test(text)) return 0;
  const value = Number.parseInt(text, 16);
  return Number.isSafeInteger(value) ? value : BigInt(`0x${text}`);
}

function column(value: string, index: number): number {
  return numberOf(value.split('\t')[index] ?? '');
}

function lastColumn(value: string): number {
  return numberOf(value.slice(value.lastIndexOf('\t') + 1));
}
