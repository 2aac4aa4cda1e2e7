/** Users and groups as messages. */
import type { Group, User } from '../../../proto/gen/strata/v1/state.ts';
import type { StateView } from '../../state/os-state.ts';
import type { GroupRow, UserRow } from '../../state/user-table.ts';
import { bytesOf, utf8Of } from './text.ts';

export function userMessage(containerId: string, row: UserRow): User {
  return {
    containerId: utf8Of(containerId),
    uid: row.uid >>> 0,
    gid: row.gid >>> 0,
    name: bytesOf(row.name),
    homedir: bytesOf(row.homedir),
    shell: bytesOf(row.shell),
  };
}

export function groupMessage(containerId: string, row: GroupRow): Group {
  return { containerId: utf8Of(containerId), gid: row.gid >>> 0, name: bytesOf(row.name) };
}

/** The user a uid of a thread stands for: its container's own, else the host's. */
export function userOf(view: StateView, containerId: string, uid: number): User | undefined {
  const own = view.findUser(containerId, uid);
  if (own !== undefined) return userMessage(containerId, own);
  const host = view.findUser('', uid);
  return host === undefined ? undefined : userMessage('', host);
}

export function groupOf(view: StateView, containerId: string, gid: number): Group | undefined {
  const own = view.findGroup(containerId, gid);
  if (own !== undefined) return groupMessage(containerId, own);
  const host = view.findGroup('', gid);
  return host === undefined ? undefined : groupMessage('', host);
}
