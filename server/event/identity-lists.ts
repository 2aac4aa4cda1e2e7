/** Users and groups from the text of passwd(5) and group(5) files. */
import type { GroupEntry, UserEntry } from './snapshot.ts';

/** Entries taken of one file when the caller names no limit. */
const ENTRIES_MAX = 65_536;

/** Lines `name:password:uid:gid:comment:home:shell`. */
export function parsePasswd(text: string, entriesMax = ENTRIES_MAX): UserEntry[] {
  // Several names may share an id: the first is the one that is looked up by it.
  const users = new Map<number, UserEntry>();
  for (const line of text.split('\n')) {
    const [name, , uid, gid, , homedir, shell] = line.split(':');
    if (name === undefined || name === '' || !isId(uid) || !isId(gid) || users.size >= entriesMax) continue;
    const id = Number(uid);
    if (users.has(id)) continue;
    users.set(id, { uid: id, gid: Number(gid), name, homedir: homedir ?? '', shell: shell ?? '' });
  }
  return [...users.values()];
}

/** Lines `name:password:gid:members`. */
export function parseGroup(text: string, entriesMax = ENTRIES_MAX): GroupEntry[] {
  const groups = new Map<number, GroupEntry>();
  for (const line of text.split('\n')) {
    const [name, , gid] = line.split(':');
    if (name === undefined || name === '' || !isId(gid) || groups.size >= entriesMax) continue;
    if (!groups.has(Number(gid))) groups.set(Number(gid), { gid: Number(gid), name });
  }
  return [...groups.values()];
}

function isId(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= 0xffffffff;
}
