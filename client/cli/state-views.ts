/** How rows of the state look: columns for people, JSON for programs. */
import {
  type Container,
  type Fd,
  FdKind,
  type Group,
  L4Protocol,
  type NetworkInterface,
  type Thread,
  type User,
} from '../../proto/gen/strata/v1/state.ts';
import { formatAddress } from '../ip-address.ts';
import { decodeText, enumName, type JsonShape, messageJson } from './message-json.ts';
import type { TableColumn } from './table.ts';

const SHAPE: JsonShape = {
  addresses: new Set(['sourceAddress', 'destinationAddress', 'address', 'netmask', 'broadcast']),
  enums: new Map<string, Readonly<Record<string, number>>>([
    ['kind', FdKind],
    ['l4Protocol', L4Protocol],
  ]),
};

/** A row as one JSON object on a line of its own. */
export function stateJsonLine(row: object): string {
  return `${messageJson(row, SHAPE)}\n`;
}

/** Absent, as fields print it. */
const ABSENT = '<NA>';
/** A terminal's line is better spent on the start of a command line than on all of it. */
const COMMAND_CHARS_MAX = 80;

function textOf(value: number | bigint | undefined): string {
  return value === undefined ? ABSENT : String(value);
}

function idOf(value: bigint): string {
  return value === -1n ? ABSENT : String(value);
}

/** Executable and arguments of a thread as one line. */
export function commandLine(thread: Thread): string {
  return [thread.exe, ...thread.args].map(decodeText).join(' ');
}

function shortened(text: string): string {
  return text.length <= COMMAND_CHARS_MAX ? text : `${text.slice(0, COMMAND_CHARS_MAX - 1)}…`;
}

function shortId(containerId: string): string {
  return containerId === '' ? 'host' : containerId.slice(0, 12);
}

export const THREAD_COLUMNS: readonly TableColumn<Thread>[] = [
  { title: 'TID', align: 'right', value: (row) => idOf(row.tid) },
  { title: 'PID', align: 'right', value: (row) => idOf(row.pid) },
  { title: 'PTID', align: 'right', value: (row) => idOf(row.ptid) },
  { title: 'UID', align: 'right', value: (row) => textOf(row.uid) },
  { title: 'FDS', align: 'right', value: (row) => textOf(row.fdCount) },
  { title: 'CONTAINER', value: (row) => shortId(row.containerId) },
  { title: 'COMM', value: (row) => decodeText(row.comm) },
  { title: 'COMMAND', value: (row) => shortened(commandLine(row)) },
];

export const FD_COLUMNS: readonly TableColumn<Fd>[] = [
  { title: 'FD', align: 'right', value: (row) => String(row.number) },
  { title: 'KIND', value: (row) => enumName(FdKind, row.kind) },
  { title: 'INODE', align: 'right', value: (row) => (row.inode === 0n ? '' : String(row.inode)) },
  { title: 'NAME', value: (row) => decodeText(row.name) },
];

export const USER_COLUMNS: readonly TableColumn<User>[] = [
  { title: 'CONTAINER', value: (row) => shortId(row.containerId) },
  { title: 'UID', align: 'right', value: (row) => String(row.uid) },
  { title: 'GID', align: 'right', value: (row) => String(row.gid) },
  { title: 'NAME', value: (row) => decodeText(row.name) },
  { title: 'HOME', value: (row) => decodeText(row.homedir) },
  { title: 'SHELL', value: (row) => decodeText(row.shell) },
];

export const GROUP_COLUMNS: readonly TableColumn<Group>[] = [
  { title: 'CONTAINER', value: (row) => shortId(row.containerId) },
  { title: 'GID', align: 'right', value: (row) => String(row.gid) },
  { title: 'NAME', value: (row) => decodeText(row.name) },
];

export const INTERFACE_COLUMNS: readonly TableColumn<NetworkInterface>[] = [
  { title: 'NAME', value: (row) => decodeText(row.name) },
  { title: 'ADDRESS', value: (row) => formatAddress(row.address) },
  { title: 'NETMASK', value: (row) => formatAddress(row.netmask) },
  { title: 'BROADCAST', value: (row) => formatAddress(row.broadcast) },
];

export const CONTAINER_COLUMNS: readonly TableColumn<Container>[] = [
  { title: 'ID', value: (row) => row.id },
  { title: 'TYPE', value: (row) => row.type },
  { title: 'NAME', value: (row) => row.name },
  { title: 'IMAGE', value: (row) => row.image },
  { title: 'COMPLETE', value: (row) => (row.isComplete ? 'yes' : 'no') },
];

/** One thread as `name: value` lines; what is not known is left out. */
export function threadPairs(thread: Thread, ancestors: readonly Thread[]): [name: string, value: string][] {
  const { executable, capabilities } = thread;
  const lineage = ancestors.map((row) => `${decodeText(row.comm)} (${row.tid})`).join(' ← ');
  const pairs: [string, string | undefined][] = [
    ['tid', idOf(thread.tid)],
    ['pid', idOf(thread.pid)],
    ['parent', idOf(thread.ptid)],
    ['ancestors', lineage],
    ['comm', decodeText(thread.comm)],
    ['command', commandLine(thread)],
    ['executable', executable === undefined ? '' : decodeText(executable.path)],
    ['cwd', decodeText(thread.cwd)],
    ['root', decodeText(thread.root)],
    ['session', idOf(thread.sid)],
    ['process group', idOf(thread.pgid)],
    [
      'ids in its pid namespace',
      `tid ${idOf(thread.vtid)}, pid ${idOf(thread.vpid)}, pgid ${idOf(thread.vpgid)}`,
    ],
    ['uid', textOf(thread.uid)],
    ['gid', textOf(thread.gid)],
    ['loginuid', thread.loginuid === undefined ? '' : String(thread.loginuid)],
    [
      'capabilities',
      capabilities === undefined
        ? ''
        : `effective ${hex(capabilities.effective)}, permitted ${hex(capabilities.permitted)}, inheritable ${hex(capabilities.inheritable)}`,
    ],
    ['container', shortId(thread.containerId)],
    [
      'cgroups',
      thread.cgroups.map((row) => `${decodeText(row.subsystem)}=${decodeText(row.path)}`).join(' '),
    ],
    ['open fds', `${thread.fdCount}${thread.fdLimit === -1n ? '' : ` of ${thread.fdLimit}`}`],
    ['threads', thread.threadCount === 0 ? '' : String(thread.threadCount + 1)],
    [
      'memory',
      `${thread.vmRssKb} KiB resident, ${thread.vmSizeKb} KiB virtual, ${thread.vmSwapKb} KiB swapped`,
    ],
    ['created', thread.cloneTimestampNs === 0n ? '' : formatTime(thread.cloneTimestampNs)],
    [
      'state',
      [thread.isPlaceholder ? 'placeholder' : '', thread.isDead ? 'exited' : ''].filter(Boolean).join(', '),
    ],
    ['environment', thread.env.map(decodeText).join(' ')],
  ];
  return pairs.filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '');
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** `2026-01-02T03:04:05.123456789Z`. */
export function formatTime(timestampNs: bigint): string {
  const seconds = new Date(Number(timestampNs / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(timestampNs % 1_000_000_000n).padStart(9, '0')}Z`;
}
