/** Flag words and enumerations compared by the names of their bits: strace's and the schema's numbers are different by design. */
import { FLAG_DATA } from '../../../server/event/flag-tables.ts';

/** Which arguments carry flags or enumerations, by event name. */
export const FLAG_PARAMS: Readonly<Record<string, readonly (readonly [param: string, arg: number])[]>> = {
  open: [['flags', 1]],
  openat: [['flags', 2]],
  socket: [['domain', 0]],
  socketpair: [['domain', 0]],
  shutdown: [['how', 1]],
  setsockopt: [['level', 1]],
  getsockopt: [['level', 1]],
  lseek: [['whence', 2]],
  prlimit: [['resource', 1]],
  fcntl: [['cmd', 1]],
  mmap: [
    ['prot', 2],
    ['flags', 3],
  ],
  mprotect: [['prot', 2]],
  splice: [['flags', 5]],
  clone: [['flags', 1]],
  clone3: [['flags', 0]],
  setns: [['nstype', 1]],
  flock: [['operation', 1]],
  mount: [['flags', 3]],
  access: [['mode', 1]],
  unshare: [['flags', 0]],
  unlinkat: [['flags', 2]],
  linkat: [['flags', 4]],
  renameat2: [['flags', 4]],
  io_uring_enter: [['flags', 3]],
  dup3: [['flags', 2]],
  bpf: [['cmd', 0]],
  mlock2: [['flags', 2]],
  epoll_create1: [['flags', 0]],
  fchownat: [['flags', 4]],
  umount2: [['flags', 1]],
  pipe2: [['flags', 1]],
  inotify_init1: [['flags', 0]],
  eventfd2: [['flags', 1]],
  signalfd4: [['flags', 3]],
  prctl: [['option', 0]],
  memfd_create: [['flags', 1]],
  newfstatat: [['flags', 3]],
  delete_module: [['flags', 1]],
  close_range: [['flags', 2]],
};

/** Marks of the schema that no caller passes. */
const OWN_NAMES: ReadonlySet<string> = new Set([
  ...[
    'O_F_CREATED',
    'FD_UPPER_LAYER',
    'FD_LOWER_LAYER',
    'O_NONE',
    'NAME_CHANGED',
    'CLOSED',
    'CLONE_INVERTED',
  ],
  ...['CLONE_CHILD_IN_PIDNS', 'PROT_NONE', 'F_OK'],
]);

/** What differs, in words; undefined when nothing does. `arg` is an argument as strace prints it. */
export function flagDifference(
  table: string,
  isEnum: boolean,
  value: number,
  arg: string | undefined,
): string | undefined {
  const entries = FLAG_DATA.tables[table];
  if (entries === undefined || arg === undefined) return undefined;
  const known = new Set(entries.map(([name]) => name));
  const named = [...(flagsPart(arg) ?? '').matchAll(/[A-Z][A-Z0-9_]+/g)].map(([name]) =>
    schemaName(name, known),
  );
  const wanted = named.filter((name) => known.has(name) && !OWN_NAMES.has(name)).sort();
  const got = (
    isEnum ? entries.filter(([, bits]) => bits === value).map(([name]) => name) : bitNames(entries, value)
  )
    .filter((name) => !OWN_NAMES.has(name))
    .sort();
  const isEqual = isEnum
    ? wanted.length === 0 || got.includes(wanted[0] as string)
    : wanted.join() === got.join();
  return isEqual ? undefined : `${got.join('|')} (${value}) instead of ${wanted.join('|')}`;
}

/** Some tables leave the prefix out, or lend the names of open. */
function schemaName(name: string, known: ReadonlySet<string>): string {
  if (known.has(name)) return name;
  const bare = name.replace(/^(?:MS|MNT)_/, '');
  return known.has(bare) ? bare : name.replace(/^(?:EFD|SFD|IN|TFD)_/, 'O_');
}

/** The names are in comments: of the whole argument, or of the member `flags` of a structure. */
function flagsPart(arg: string): string | undefined {
  const member = /\bflags=(.*?)(?:, [a-z_]+=|\}|$)/s.exec(arg);
  const text = member === null ? arg : (member[1] as string);
  return [...text.matchAll(/\/\*(.*?)\*\//gs)].map((comment) => comment[1]).join('|');
}

/** Composite names (O_RDWR) come before their parts. */
function bitNames(entries: readonly (readonly [string, number])[], value: number): string[] {
  const names: string[] = [];
  let rest = value;
  for (const [name, bits] of [...entries].sort(([, a], [, b]) => bitCount(b) - bitCount(a))) {
    if (bits === 0 || (rest & bits) !== bits) continue;
    names.push(name);
    rest &= ~bits;
  }
  return names;
}

function bitCount(value: number): number {
  let count = 0;
  for (let rest = value >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}
