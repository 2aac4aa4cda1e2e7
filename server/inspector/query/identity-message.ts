/** Users and groups as messages. */
import type { Group, User } from '../../../proto/gen/strata/v1/state.ts';
import { findGroupOf, findLoginUserOf, findUserOf } from '../../state/container-identities.ts';
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

/** The user a uid of a thread stands for. */
export function userOf(view: StateView, containerId: string, uid: number): User | undefined {
  const found = findUserOf(view, containerId, uid);
  return found === undefined ? undefined : userMessage(found.containerId, found.row);
}

/** The user a login uid of a thread stands for. */
export function loginUserOf(view: StateView, containerId: string, loginuid: number): User | undefined {
  const found = findLoginUserOf(view, containerId, loginuid);
  return found === undefined ? undefined : userMessage(found.containerId, found.row);
}

export function groupOf(view: StateView, containerId: string, gid: number): Group | undefined {
  const found = findGroupOf(view, containerId, gid);
  return found === undefined ? undefined : groupMessage(found.containerId, found.row);
}
