/** Records of the stream from news of containers: what they say is parsed, shown, kept and recorded like all events. */
import { eventIdOf, shortIdOf } from '../container/container-rows.ts';
import {
  PPME_ASYNCEVENT_E,
  PPME_GROUP_ADDED_E,
  PPME_GROUP_DELETED_E,
  PPME_USER_ADDED_E,
  PPME_USER_DELETED_E,
} from '../event/event-types.ts';
import type { ContainerRow } from '../state/container-table.ts';
import type { OsState } from '../state/os-state.ts';
import type { GroupRow, UserRow } from '../state/user-table.ts';
import { buildRecordBytes } from './recording-events.ts';

/** Async events of the syscall source itself, not of a plugin. */
const OWN_PLUGIN_ID = 0;
/** Names, directories and shells are cut here: the record's lengths have 16 bits. */
const TEXT_CHARS_MAX = 4096;

/** Users and groups as they are told for one container; what is not in them any more is gone. */
export interface IdentityLists {
  readonly users: readonly UserRow[];
  readonly groups: readonly GroupRow[];
}

/** Ids that were told before. */
export interface KnownIds {
  readonly uids: Iterable<number>;
  readonly gids: Iterable<number>;
}

/** `json`: that of a container event. */
export function containerRecord(json: string): Buffer {
  return buildRecordBytes(PPME_ASYNCEVENT_E, [OWN_PLUGIN_ID, 'container', json]);
}

export function removalRecord(fullId: string, row: ContainerRow | undefined): Buffer {
  const container = {
    id: shortIdOf(fullId),
    full_id: fullId,
    type: row?.type ?? '',
    name: row?.name ?? '',
    image: row?.image ?? '',
  };
  return buildRecordBytes(PPME_ASYNCEVENT_E, [
    OWN_PLUGIN_ID,
    'container_removed',
    JSON.stringify({ container }),
  ]);
}

/**
 * What differs between the tables and the lists. `known`: the ids of which absence means that they are gone; others have come from
 * elsewhere and stay.
 */
export function identityRecords(
  { users, groups }: OsState,
  fullId: string,
  lists: IdentityLists,
  known: KnownIds,
): Buffer[] {
  const eventId = eventIdOf(fullId);
  const records: Buffer[] = [];
  const uids = new Set<number>();
  for (const user of lists.users) {
    uids.add(user.uid);
    const old = users.find(fullId, user.uid);
    if (old === undefined || !sameUser(old, user)) records.push(userRecord(PPME_USER_ADDED_E, user, eventId));
  }
  for (const uid of known.uids) {
    const old = uids.has(uid) ? undefined : users.find(fullId, uid);
    if (old !== undefined) records.push(userRecord(PPME_USER_DELETED_E, old, eventId));
  }
  const gids = new Set<number>();
  for (const group of lists.groups) {
    gids.add(group.gid);
    if (groups.find(fullId, group.gid)?.name !== textOf(group.name)) {
      records.push(groupRecord(PPME_GROUP_ADDED_E, group, eventId));
    }
  }
  for (const gid of known.gids) {
    const old = gids.has(gid) ? undefined : groups.find(fullId, gid);
    if (old !== undefined) records.push(groupRecord(PPME_GROUP_DELETED_E, old, eventId));
  }
  return records;
}

function sameUser(a: UserRow, b: UserRow): boolean {
  return (
    a.gid === b.gid &&
    a.name === textOf(b.name) &&
    a.homedir === textOf(b.homedir) &&
    a.shell === textOf(b.shell)
  );
}

function userRecord(type: number, { uid, gid, name, homedir, shell }: UserRow, eventId: string): Buffer {
  return buildRecordBytes(type, [uid, gid, textOf(name), textOf(homedir), textOf(shell), eventId]);
}

function groupRecord(type: number, { gid, name }: GroupRow, eventId: string): Buffer {
  return buildRecordBytes(type, [gid, textOf(name), eventId]);
}

/** As a record holds it. */
function textOf(text: string): string {
  const nul = text.indexOf('\0');
  return text.slice(0, nul < 0 ? TEXT_CHARS_MAX : Math.min(nul, TEXT_CHARS_MAX));
}
