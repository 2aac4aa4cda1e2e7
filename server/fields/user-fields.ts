/** Rows of the user class. */
import { findLoginUserOf, findUserOf } from '../state/container-identities.ts';
import type { StateView } from '../state/os-state.ts';
import { ID_UNKNOWN, type ThreadInfo } from '../state/thread-info.ts';
import type { FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { ofThread } from './proc-shape.ts';
import { ABSENT_TEXT } from './render.ts';

const row = rowsOf('user');

interface ShownUser {
  readonly name: string;
  readonly homedir: string;
  readonly shell: string;
}

const UNKNOWN_USER: ShownUser = { name: ABSENT_TEXT, homedir: ABSENT_TEXT, shell: ABSENT_TEXT };
/** uid 0 has its name even when nobody introduced it. */
const UNKNOWN_ROOT: ShownUser = { name: 'root', homedir: '/root', shell: ABSENT_TEXT };

/** The user as the thread's container knows it. */
function findUser(state: StateView, { containerId, uid }: ThreadInfo): ShownUser {
  return findUserOf(state, containerId, uid)?.row ?? unknownUser(uid);
}

function unknownUser(uid: number): ShownUser {
  return uid === 0 ? UNKNOWN_ROOT : UNKNOWN_USER;
}

function text(name: string, description: string, member: keyof ShownUser): FieldRow {
  return row(
    name,
    'string',
    'NA',
    description,
    ofThread((thread, event) => findUser(event.state, thread)[member]),
  );
}

export const USER_FIELDS: readonly FieldRow[] = [
  row(
    'user.uid',
    'uint32',
    'ID',
    'user id',
    ofThread((thread) => thread.uid),
  ),
  text('user.name', 'user name', 'name'),
  text('user.homedir', 'home directory', 'homedir'),
  text('user.shell', 'login shell', 'shell'),
  row(
    'user.loginuid',
    'int64',
    'ID',
    'audit (login) uid, -1 when unset',
    ofThread((thread) => (thread.loginuid === ID_UNKNOWN ? -1 : thread.loginuid)),
  ),
  row(
    'user.loginname',
    'string',
    'NA',
    'name of the audit user',
    ofThread(({ containerId, loginuid }, event) => {
      const found = findLoginUserOf(event.state, containerId, loginuid);
      return (found?.row ?? unknownUser(loginuid)).name;
    }),
  ),
];
