/**
 * Reads the output of `strace -f -ttt -n -xx -X verbose`: every string in hexadecimal, every number with its name in a
 * comment, halves of interrupted calls joined.
 */
import { constants } from 'node:os';

/** Options of strace that make what this page reads. */
export const STRACE_OPTIONS: readonly string[] = [
  ...['-f', '-ttt', '-n', '-xx', '-X', 'verbose', '-s', '65536'],
  ...['-e', 'abbrev=!execve,execveat'],
];

export interface StraceCall {
  readonly tid: number;
  /** Line of the log where the call ended, from 1. */
  readonly line: number;
  /** The architecture's own number; of a 32-bit call, that of 32 bits. */
  readonly number: number;
  readonly name: string;
  /** The arguments as printed, comments included. */
  readonly args: readonly string[];
  /** What the kernel's exit path saw: minus the error number of failed calls. Undefined when strace saw no end. */
  readonly result: bigint | undefined;
  /** What follows the result, such as `(flags FD_CLOEXEC)`. */
  readonly note: string;
}

export interface StraceThread {
  readonly tid: number;
  readonly calls: StraceCall[];
  /** The one that strace itself started. */
  readonly isFirst: boolean;
  /** How often it went: a main thread that another's execve replaces goes, and goes on. */
  ends: number;
}

/** Results of calls that the kernel will restart: never seen by programs. */
const RESTARTS: Readonly<Record<string, number>> = {
  ERESTARTSYS: 512,
  ERESTARTNOINTR: 513,
  ERESTARTNOHAND: 514,
  ERESTART_RESTARTBLOCK: 516,
  ENOTSUPP: 524,
};
const ERRNO = constants.errno as Readonly<Record<string, number>>;
const LINE = /^(\d+) +[\d.]+ \[ *(\d+)\] (.*)$/s;

/** Threads of a log by tid. Throws on a line it does not understand: the oracle must not guess. */
export function parseStraceLog(text: string): Map<number, StraceThread> {
  const threads = new Map<number, StraceThread>();
  const pending = new Map<number, string>();
  let line = 0;
  for (const full of text.split('\n')) {
    line++;
    if (full === '') continue;
    const parts = LINE.exec(full);
    if (parts === null) throw new Error(`strace line ${line}: ${full.slice(0, 200)}`);
    const tid = Number(parts[1]);
    const body = parts[3] as string;
    const thread = threads.get(tid) ?? { tid, calls: [], isFirst: line === 1, ends: 0 };
    threads.set(tid, thread);
    const whole = joined(tid, body, thread, pending);
    if (whole !== undefined) thread.calls.push(parseCall(tid, line, Number(parts[2]), whole));
  }
  return threads;
}

/** A whole call, from one line or two; undefined while its end is missing, and for signals and exits. */
function joined(
  tid: number,
  body: string,
  thread: StraceThread,
  pending: Map<number, string>,
): string | undefined {
  if (body.startsWith('---')) return undefined;
  if (body.startsWith('+++')) {
    const superseded = /superseded by execve in pid (\d+)/.exec(body);
    if (superseded !== null) {
      // The thread that called execve goes on under the number of the leader.
      const other = Number(superseded[1]);
      pending.set(tid, pending.get(other) ?? '');
      pending.delete(other);
    }
    thread.ends++;
    return undefined;
  }
  const unfinished = /^(.*?)(?:,? ?)<unfinished \.\.\.>(\) += \?)?$/s.exec(body);
  if (unfinished !== null) {
    if (unfinished[2] !== undefined) return `${unfinished[1]}) = ?`;
    pending.set(tid, unfinished[1] as string);
    return undefined;
  }
  const resumed = /^<\.\.\. \S+ resumed>(.*)$/s.exec(body);
  if (resumed === null) return body;
  const start = pending.get(tid) ?? '';
  pending.delete(tid);
  const rest = resumed[1] as string;
  return /[({[, ]$/.test(start) || /^[)\s,]/.test(rest) ? start + rest : `${start}, ${rest}`;
}

function parseCall(tid: number, line: number, number: number, text: string): StraceCall {
  const open = text.indexOf('(');
  const { args, end } = splitArgs(text, open + 1);
  const result = /^\s*= (?:(0x[0-9a-f]+|-?\d+)(?: (E[A-Z0-9]+))?|\?(?: (E[A-Z_0-9]+))?)(.*)$/s.exec(
    text.slice(end),
  );
  if (open < 0 || result === null) throw new Error(`strace line ${line}: ${text.slice(0, 300)}`);
  const [, value, error, restart, note] = result;
  const code = error ?? restart;
  const known = code === undefined ? undefined : (ERRNO[code] ?? RESTARTS[code]);
  if (code !== undefined && known === undefined) throw new Error(`strace line ${line}: error ${code}?`);
  const number64 = known !== undefined ? BigInt(-known) : value === undefined ? undefined : BigInt(value);
  return { tid, line, number, name: text.slice(0, open), args, result: number64, note: note ?? '' };
}

const QUOTE = 0x22;
const OPENING = '([{';
const CLOSING = ')]}';

/** Splits at the commas of the outermost level, from `start` to the closing parenthesis; `end` is after it. */
function splitArgs(text: string, start: number): { args: string[]; end: number } {
  const args: string[] = [];
  let depth = 0;
  let from = start;
  for (let at = start; at < text.length; at++) {
    const char = text[at] as string;
    if (text.charCodeAt(at) === QUOTE) at = text.indexOf('"', at + 1);
    else if (char === '/' && text[at + 1] === '*') at = text.indexOf('*/', at) + 1;
    else if (OPENING.includes(char)) depth++;
    else if (CLOSING.includes(char)) {
      if (depth === 0) {
        const last = text.slice(from, at).trim();
        if (last !== '') args.push(last);
        return { args, end: at + 1 };
      }
      depth--;
    } else if (char === ',' && depth === 0) {
      args.push(text.slice(from, at).trim());
      from = at + 1;
    }
    if (at < start) break;
  }
  return { args, end: text.length };
}

/** The first string in an argument as a binary string; undefined for addresses and NULL. */
export function textOf(arg: string | undefined): string | undefined {
  const hex = arg === undefined ? null : /^@?"((?:\\x[0-9a-f]{2})*)"/.exec(arg);
  if (hex === null) return undefined;
  return Buffer.from((hex[1] as string).replaceAll('\\x', ''), 'hex').toString('latin1');
}

/** The strings of an array such as argv. */
export function textsOf(arg: string | undefined): string[] | undefined {
  if (arg === undefined || !arg.startsWith('[')) return undefined;
  return [...arg.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map((hex) =>
    Buffer.from((hex[1] as string).replaceAll('\\x', ''), 'hex').toString('latin1'),
  );
}

/** The number an argument starts with (octal, decimal or hexadecimal); undefined for texts and structures. */
export function numberOf(arg: string | undefined): bigint | undefined {
  if (arg === undefined) return undefined;
  if (arg === 'NULL') return 0n;
  const parts = stripComments(arg).split('|');
  let sum = 0n;
  for (const part of parts) {
    const digits = /^(-?)(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)$/.exec(part.trim());
    if (digits === null) return undefined;
    const word = digits[2] as string;
    const value = BigInt(/^0[0-7]+$/.test(word) ? `0o${word.slice(1)}` : word);
    sum |= digits[1] === '-' ? -value : value;
  }
  return sum;
}

/** The numbers of an array such as the fds of a pipe. */
export function numbersOf(arg: string | undefined): bigint[] {
  return [...stripComments(arg ?? '').matchAll(/-?\d+/g)].map((digits) => BigInt(digits[0]));
}

/** `ip:port`, or the path of a Unix socket; undefined for other families and unreadable addresses. */
export function addressOf(arg: string | undefined): string | undefined {
  if (arg === undefined) return undefined;
  const bytes = (name: string): Buffer | undefined => {
    const found = new RegExp(`${name}=(@?"(?:\\\\x[0-9a-f]{2})*")`).exec(arg);
    return found === null ? undefined : Buffer.from(textOf(found[1]) ?? '', 'latin1');
  };
  const port = bytes('sin6?_port')?.readUInt16BE(0);
  const ip = bytes('sin_addr') ?? bytes('sin6_addr');
  if (port !== undefined && ip !== undefined) return `${ip.toString('hex')}:${port}`;
  const path = bytes('sun_path');
  return path === undefined
    ? undefined
    : `${arg.includes('sun_path=@') ? '\0' : ''}${path.toString('latin1')}`;
}

function stripComments(text: string): string {
  return text.replaceAll(/ ?\/\*.*?\*\//gs, '');
}
