/** `evt.abspath` and `evt.around`. */
import {
  PPME_SYSCALL_FCHMODAT_X,
  PPME_SYSCALL_FCHOWNAT_X,
  PPME_SYSCALL_LINKAT_2_X,
  PPME_SYSCALL_MKDIRAT_X,
  PPME_SYSCALL_OPEN_BY_HANDLE_AT_X,
  PPME_SYSCALL_OPENAT_2_X,
  PPME_SYSCALL_OPENAT2_X,
  PPME_SYSCALL_RENAMEAT_X,
  PPME_SYSCALL_RENAMEAT2_X,
  PPME_SYSCALL_SYMLINKAT_X,
  PPME_SYSCALL_UNLINKAT_2_X,
} from '../event/event-types.ts';
import { AT_FDCWD } from '../event/flag-tables.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { joinPath } from '../state/path-join.ts';
import { type Extractor, type FieldArgument, FieldError, type FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { workingDirectory } from './params/event-paths.ts';
import { findParamIndexes } from './params/param-index.ts';

const row = rowsOf('evt');

/** Names of a call's directory and path parameters. */
type PathPair = readonly [directory: string, path: string];

/** One pair per side: source (also when no side is named), destination. Most calls have one side only. */
type Sides = readonly [source: PathPair, destination: PathPair];

function oneSide(directory: string, path: string): Sides {
  return [
    [directory, path],
    [directory, path],
  ];
}

const RENAME: Sides = [
  ['olddirfd', 'oldpath'],
  ['newdirfd', 'newpath'],
];

const PATHS = new Map<number, Sides>([
  [PPME_SYSCALL_RENAMEAT_X, RENAME],
  [PPME_SYSCALL_RENAMEAT2_X, RENAME],
  [PPME_SYSCALL_SYMLINKAT_X, oneSide('linkdirfd', 'linkpath')],
  [PPME_SYSCALL_OPENAT_2_X, oneSide('dirfd', 'name')],
  [PPME_SYSCALL_OPENAT2_X, oneSide('dirfd', 'name')],
  [
    PPME_SYSCALL_LINKAT_2_X,
    [
      ['olddir', 'oldpath'],
      ['newdir', 'newpath'],
    ],
  ],
  [PPME_SYSCALL_UNLINKAT_2_X, oneSide('dirfd', 'name')],
  [PPME_SYSCALL_MKDIRAT_X, oneSide('dirfd', 'path')],
  [PPME_SYSCALL_FCHMODAT_X, oneSide('dirfd', 'filename')],
  [PPME_SYSCALL_FCHOWNAT_X, oneSide('dirfd', 'pathname')],
]);

/** Where `open_by_handle_at` reports the path it opened. */
const HANDLE_PATH_INDEX = (findParamIndexes('path') as Int8Array)[PPME_SYSCALL_OPEN_BY_HANDLE_AT_X] as number;

function pathOfHandle({ record }: InspectedEvent): string | undefined {
  // The kernel side knows the path only of a file it opened; descriptor 0 is taken for "none".
  return record.number(0) > 0 ? joinPath('', record.text(HANDLE_PATH_INDEX)) : undefined;
}

function absolutePath(event: InspectedEvent, [directoryName, pathName]: PathPair): string | undefined {
  const { record, thread, state } = event;
  if (thread === undefined) return undefined;
  const directoryAt = findParamIndexes(directoryName)?.[record.type] ?? -1;
  const pathAt = findParamIndexes(pathName)?.[record.type] ?? -1;
  if (directoryAt < 0 || pathAt < 0 || record.isEmpty(directoryAt) || record.isEmpty(pathAt))
    return undefined;
  const path = record.text(pathAt);
  if (path.startsWith('/')) return joinPath('', path);
  const dirfd = record.number(directoryAt);
  if (dirfd === AT_FDCWD) return joinPath(workingDirectory(state, thread), path);
  const directory = state.findFd(thread.fds, dirfd);
  if (directory === undefined) return joinPath('<UNKNOWN>', path);
  // The reference puts a slash behind every directory's name, the root's included.
  return directory.name === '/' ? `/${joinPath('/', path)}` : joinPath(directory.name, path);
}

/** `evt.abspath.dst` is the destination of calls with two paths; `src` and any other argument the source. */
function bindAbsolutePath(argument: FieldArgument | undefined): Extractor {
  const side = argument?.text === 'dst' ? 1 : 0;
  return (event) => {
    if (event.thread === undefined) return undefined;
    const { type } = event.record;
    if (type === PPME_SYSCALL_OPEN_BY_HANDLE_AT_X) return pathOfHandle(event);
    const sides = PATHS.get(type);
    return sides === undefined ? undefined : absolutePath(event, sides[side]);
  };
}

const NS_PER_MS = 1_000_000n;

/** Distance of the event from the timestamp in the argument, in milliseconds rounded up: `evt.around[T] = D`. */
function bindAround(argument: FieldArgument | undefined): Extractor {
  const around = parseTimestamp(argument);
  return ({ record }) => {
    const distance = record.timestampNs() - around;
    const magnitude = distance < 0n ? -distance : distance;
    return Number((magnitude + NS_PER_MS - 1n) / NS_PER_MS);
  };
}

function parseTimestamp(argument: FieldArgument | undefined): bigint {
  const text = argument?.text ?? '';
  if (text === '' || text.length > 20 || [...text].some((digit) => digit < '0' || digit > '9')) {
    throw new FieldError('evt.around needs a timestamp in nanoseconds since the epoch', 0);
  }
  return BigInt(text);
}

export const EVT_AROUND_FIELD: FieldRow = row(
  'evt.around',
  'uint64',
  'DEC',
  'true when the event lies within N ms of a timestamp',
  () => undefined,
  { argument: 'key required', noRhs: true, noTransformer: true, isDistance: true, bind: bindAround },
);

export const EVT_ABSPATH_FIELD: FieldRow = row(
  'evt.abspath',
  'string',
  'NA',
  'absolute path built from dirfd and name; .src/.dst pick a side',
  () => undefined,
  { argument: 'key required', bind: bindAbsolutePath },
);
