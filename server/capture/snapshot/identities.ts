/** Users and groups of the node: through getent(1), hence every source the node is set up for, or from its files. */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { parseGroup, parsePasswd } from '../../event/identity-lists.ts';
import type { GroupEntry, UserEntry } from '../../event/snapshot.ts';
import { readText } from './proc-files.ts';

const GETENT_MS_MAX = 2000;
const LIST_BYTES_MAX = 16 * 1024 * 1024;

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
