/** Users and groups of the node: through getent(1), hence every source the node is set up for, or from its files. */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import type { GroupEntry, UserEntry } from '../../event/snapshot.ts';
import { readText } from './proc-files.ts';

const GETENT_MS_MAX = 2000;
const LIST_BYTES_MAX = 16 * 1024 * 1024;
const ENTRIES_MAX = 65_536;

export interface Identities {
  readonly users: readonly UserEntry[];
  readonly groups: readonly GroupEntry[];
}

/** Changes when the node's lists of users and groups may have changed. */
export function identitiesVersion(hostRoot: string): string {
  return ['passwd', 'group'].map((name) => fileVersion(`${hostRoot}/etc/${name}`)).join();
}

function fileVersion(path: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(path);
    return `${ino} ${mtimeMs} ${size}`;
  } catch {
    return '';
  }
}

/** Under a root that is not the node's own, getent would answer for our container: the files are read. */
export async function readIdentities(hostRoot: string): Promise<Identities> {
  const [passwd, group] = await Promise.all([readList(hostRoot, 'passwd'), readList(hostRoot, 'group')]);
  return { users: parsePasswd(passwd), groups: parseGroup(group) };
}

async function readList(hostRoot: string, database: 'passwd' | 'group'): Promise<string> {
  const listed = hostRoot === '' ? await getent(database) : undefined;
  return listed ?? readText(`${hostRoot}/etc/${database}`, LIST_BYTES_MAX) ?? '';
}

/** undefined when there is no getent, or its sources do not answer in time. */
function getent(database: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { encoding: 'latin1', timeout: GETENT_MS_MAX, maxBuffer: LIST_BYTES_MAX } as const;
    execFile('getent', [database], options, (error, stdout) => resolve(error === null ? stdout : undefined));
  });
}

/** Lines `name:password:uid:gid:comment:home:shell`. */
export function parsePasswd(text: string): UserEntry[] {
  // Several names may share an id: the first is the one that is looked up by it.
  const users = new Map<number, UserEntry>();
  for (const line of text.split('\n')) {
    const [name, , uid, gid, , homedir, shell] = line.split(':');
    if (name === undefined || name === '' || !isId(uid) || !isId(gid) || users.size >= ENTRIES_MAX) continue;
    const id = Number(uid);
    if (users.has(id)) continue;
    users.set(id, { uid: id, gid: Number(gid), name, homedir: homedir ?? '', shell: shell ?? '' });
  }
  return [...users.values()];
}

/** Lines `name:password:gid:members`. */
export function parseGroup(text: string): GroupEntry[] {
  const groups = new Map<number, GroupEntry>();
  for (const line of text.split('\n')) {
    const [name, , gid] = line.split(':');
    if (name === undefined || name === '' || !isId(gid) || groups.size >= ENTRIES_MAX) continue;
    if (!groups.has(Number(gid))) groups.set(Number(gid), { gid: Number(gid), name });
  }
  return [...groups.values()];
}

function isId(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= 0xffffffff;
}
