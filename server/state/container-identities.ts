/** Whom a uid or gid of a thread stands for: containers have users and groups of their own. */
import type { StateView } from './os-state.ts';
import type { GroupRow, UserRow } from './user-table.ts';

/** A row with the container it is of; '' for the host. */
export interface FoundIdentity<Row> {
  readonly containerId: string;
  readonly row: Row;
}

/**
 * The user of a thread in this container ('': on the host). The host's users stand in for those of a container only in captures of
 * others, which bring no users of containers: the reference reads them so.
 */
export function findUserOf(
  view: StateView,
  containerId: string,
  uid: number,
): FoundIdentity<UserRow> | undefined {
  const row = view.findUser(containerId, uid);
  if (row !== undefined) return { containerId, row };
  return containerId === '' || view.isLive ? undefined : findUserOf(view, '', uid);
}

export function findGroupOf(
  view: StateView,
  containerId: string,
  gid: number,
): FoundIdentity<GroupRow> | undefined {
  const row = view.findGroup(containerId, gid);
  if (row !== undefined) return { containerId, row };
  return containerId === '' || view.isLive ? undefined : findGroupOf(view, '', gid);
}

/** Whoever logged in did so in the container, or on the host and came into the container from there. */
export function findLoginUserOf(
  view: StateView,
  containerId: string,
  loginuid: number,
): FoundIdentity<UserRow> | undefined {
  return findUserOf(view, containerId, loginuid) ?? findUserOf(view, '', loginuid);
}
