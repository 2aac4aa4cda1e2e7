/** Rows of the group class. */
import type { StateView } from '../state/os-state.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import type { FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { ofThread } from './proc-shape.ts';
import { ABSENT_TEXT } from './render.ts';

const row = rowsOf('group');

/** The group's name as the thread's container knows it, else as the host does; gid 0 always has one. */
function groupName(state: StateView, thread: ThreadInfo): string {
  const { containerId, gid } = thread;
  const own = containerId === '' ? undefined : state.findGroup(containerId, gid);
  const known = own ?? state.findGroup('', gid);
  return known?.name ?? (gid === 0 ? 'root' : ABSENT_TEXT);
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
