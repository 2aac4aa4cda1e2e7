/** Rows of the `fs.path` class: the paths that calls act on, open or not. */
import { EF_CREATES_FD, EF_USES_FD, EVENT_TABLE } from '../event/event-table.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { joinPath } from '../state/path-join.ts';
import { fdOfEvent } from './fd-of-event.ts';
import type { Extractor, FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { workingDirectory } from './params/event-paths.ts';
import { findParamIndexes } from './params/param-index.ts';

const row = rowsOf('fs.path');

/** The result that marks success: 0 in `res`, or anything but -1 in `fd`. */
type SuccessTest = 'res' | 'fd';

/** Which parameters of an event type hold its paths. `<fd>` stands for the name of the event's fd. */
interface PathParams {
  readonly code: string;
  readonly success: SuccessTest;
  readonly path?: string;
  readonly source?: string;
  readonly target?: string;
}

const FD_NAME = '<fd>';

function single(code: string, path: string, success: SuccessTest = 'res'): PathParams {
  return { code: `PPME_SYSCALL_${code}_X`, success, path };
}

function pair(code: string, source: string, target: string): PathParams {
  return { code: `PPME_SYSCALL_${code}_X`, success: 'res', source, target };
}

/** A link is the source, what it points to the target. */
const PATH_PARAMS: readonly PathParams[] = [
  single('MKDIR_2', 'path'),
  single('MKDIRAT', 'path'),
  single('RMDIR_2', 'path'),
  single('UNLINK_2', 'path'),
  single('UNLINKAT_2', 'name'),
  single('OPEN', 'name', 'fd'),
  single('OPENAT_2', 'name', 'fd'),
  single('OPENAT2', 'name', 'fd'),
  single('FCHMODAT', 'filename'),
  single('CHMOD', 'filename'),
  single('FCHMOD', FD_NAME),
  single('CHOWN', 'path'),
  single('LCHOWN', 'path'),
  single('FCHOWN', FD_NAME),
  single('FCHOWNAT', 'pathname'),
  single('QUOTACTL', 'special'),
  single('UMOUNT', 'name'),
  single('UMOUNT_1', 'name'),
  single('UMOUNT2', 'name'),
  pair('RENAME', 'oldpath', 'newpath'),
  pair('RENAMEAT', 'oldpath', 'newpath'),
  pair('RENAMEAT2', 'oldpath', 'newpath'),
  pair('LINK_2', 'newpath', 'oldpath'),
  pair('LINKAT_2', 'newpath', 'oldpath'),
  pair('SYMLINK', 'linkpath', 'target'),
  pair('SYMLINKAT', 'linkpath', 'target'),
  pair('MOUNT', 'dev', 'dir'),
];

/** How to read one of the three paths of an event type. */
interface PathSource {
  readonly success: SuccessTest;
  readonly successIndex: number;
  /** Index of the parameter; -1 for the name of the event's fd. */
  readonly index: number;
}

function sourcesOf(side: 'path' | 'source' | 'target'): readonly (PathSource | undefined)[] {
  const sources = new Array<PathSource | undefined>(EVENT_TABLE.length).fill(undefined);
  for (const entry of PATH_PARAMS) {
    const name = entry[side];
    const info = EVENT_TABLE.find((each) => each.code === entry.code);
    if (name === undefined || info === undefined) continue;
    const index = name === FD_NAME ? -1 : indexOf(name, info.id);
    if (index === undefined) continue;
    sources[info.id] = { success: entry.success, successIndex: indexOf(entry.success, info.id) ?? 0, index };
  }
  return sources;
}

function indexOf(name: string, type: number): number | undefined {
  const index = findParamIndexes(name)?.[type] ?? -1;
  return index < 0 ? undefined : index;
}

function hasSucceeded({ record }: InspectedEvent, { success, successIndex }: PathSource): boolean {
  if (record.isEmpty(successIndex)) return false;
  const result = record.number(successIndex);
  return success === 'res' ? result === 0 : result !== -1;
}

/** The path as the call gave it. */
function rawPath(side: 'path' | 'source' | 'target'): (event: InspectedEvent) => string | undefined {
  const sources = sourcesOf(side);
  return (event) => {
    const source = sources[event.record.type];
    if (source === undefined || !hasSucceeded(event, source)) return undefined;
    if (source.index < 0) return fdOfEvent(event)?.name;
    return event.record.isEmpty(source.index) ? undefined : event.record.text(source.index);
  };
}

const UNKNOWN_DIRECTORY = '<UNKNOWN>';

/**
 * A relative path made absolute. A call that opens something says through its fd what it opened; one that takes a
 * directory's fd starts there. Where that fd is not known (AT_FDCWD included) the directory is not known either.
 */
function absolutePath(event: InspectedEvent, path: string): string | undefined {
  const { record, thread } = event;
  if (thread === undefined) return undefined;
  const { flags } = record.info;
  if ((flags & EF_CREATES_FD) !== 0) return fdOfEvent(event)?.name ?? UNKNOWN_DIRECTORY;
  if ((flags & EF_USES_FD) === 0) return joinPath(workingDirectory(event.state, thread), path);
  const directory = fdOfEvent(event);
  if (directory !== undefined) return joinPath(directory.name, path);
  // Joined below the root first: what is left of it then follows the placeholder without a slash.
  return UNKNOWN_DIRECTORY + joinPath('/', path).slice(1);
}

/** The path, absolute and without what changes nothing in it. */
function fullPath(side: 'path' | 'source' | 'target'): Extractor {
  const raw = rawPath(side);
  return (event) => {
    const path = raw(event);
    if (path === undefined) return undefined;
    return path.startsWith('/') ? joinPath('', path) : absolutePath(event, path);
  };
}

const text = (name: string, description: string, extract: Extractor) =>
  row(`fs.path.${name}`, 'string', 'NA', description, extract);

export const FS_PATH_FIELDS: readonly FieldRow[] = [
  text('name', 'absolute path a filesystem call acts on', fullPath('path')),
  text('nameraw', 'that path as passed', rawPath('path')),
  text('source', 'absolute source path (rename, link, copy)', fullPath('source')),
  text('sourceraw', 'source path as passed', rawPath('source')),
  text('target', 'absolute target path', fullPath('target')),
  text('targetraw', 'target path as passed', rawPath('target')),
];
