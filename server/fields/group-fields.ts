/** Rows of the group class. */
import { findGroupOf } from '../state/container-identities.ts';
import type { StateView } from '../state/os-state.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import type { FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { ofThread } from './proc-shape.ts';
import { ABSENT_TEXT } from './render.ts';

const row = rowsOf('group');

/** The group's name as the thread's container knows it; gid 0 always has one. */
function groupName(state: StateView, { containerId, gid }: ThreadInfo): string {
  return findGroupOf(state, containerId, gid)?.row.name ?? (gid === 0 ? 'root' : ABSENT_TEXT);
}

export const GROUP_FIELDS: readonly FieldRow[] = [
  row(
    'group.gid',
    'uint32',
    'ID',
    'group id',
    ofThread((thread) => thread.gid),
  ),
  row(
    'group.name',
    'string',
    'NA',
    'group name',
    ofThread((thread, event) => groupName(event.state, thread)),
  ),
];
