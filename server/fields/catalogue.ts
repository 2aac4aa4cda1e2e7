/** Every field there is: what listings, documentation, schemas and parsers of field references are derived from. */
import { nearestNames } from '../event/nearest-names.ts';
import { CONTAINER_FIELDS, CONTAINER_PROC_FIELDS } from './container-fields.ts';
import { EVT_FIELDS } from './evt-fields.ts';
import { FD_FIELDS } from './fd-fields.ts';
import { FDLIST_FIELDS } from './fdlist-fields.ts';
import type { FieldRow } from './field.ts';
import { FS_PATH_FIELDS } from './fs-path-fields.ts';
import { GROUP_FIELDS } from './group-fields.ts';
import { K8S_FIELDS } from './k8s-fields.ts';
import { K8SMETA_FIELDS } from './k8s-object-fields.ts';
import { PROC_FIELDS } from './proc-fields.ts';
import { SYSLOG_FIELDS } from './syslog-fields.ts';
import { THREAD_FIELDS } from './thread-fields.ts';
import { USER_FIELDS } from './user-fields.ts';
import { UTIL_FIELDS } from './util-fields.ts';

/** All rows, class by class. */
export const FIELD_ROWS: readonly FieldRow[] = [
  ...EVT_FIELDS,
  ...PROC_FIELDS,
  ...CONTAINER_PROC_FIELDS,
  ...THREAD_FIELDS,
  ...USER_FIELDS,
  ...GROUP_FIELDS,
  ...FD_FIELDS,
  ...FDLIST_FIELDS,
  ...FS_PATH_FIELDS,
  ...CONTAINER_FIELDS,
  ...K8S_FIELDS,
  ...K8SMETA_FIELDS,
  ...SYSLOG_FIELDS,
  ...UTIL_FIELDS,
];

export interface FieldClass {
  readonly name: string;
  readonly description: string;
  readonly rows: readonly FieldRow[];
}

const CLASS_DESCRIPTIONS: Readonly<Record<string, string>> = {
  evt: 'The event itself: number, time, type, arguments, result',
  proc: 'The process that made the event, its ancestors and group leaders',
  thread: 'The thread that made the event',
  user: 'The user the thread runs as',
  group: 'The group the thread runs as',
  fd: 'The file descriptor the event acts on',
  fdlist: 'The file descriptors a poll event lists',
  'fs.path': 'The paths a file system call names',
  container: 'The container the thread runs in',
  k8s: 'The pod of the container, as its runtime tells it',
  k8smeta: 'The pod and its owners, namespace and services, as the Kubernetes API tells it',
  syslog: 'The message of a write to the system log',
  util: 'Counters',
};

const rowsByName = new Map<string, FieldRow>();
for (const row of FIELD_ROWS) {
  if (rowsByName.has(row.name)) throw new Error(`field ${row.name} is defined twice`);
  rowsByName.set(row.name, row);
}

/** The row of a field name without its argument. */
export function findField(name: string): FieldRow | undefined {
  return rowsByName.get(name);
}

/** Classes in the order they are listed, each with its rows. */
export function fieldClasses(): FieldClass[] {
  const classes = new Map<string, FieldRow[]>();
  for (const row of FIELD_ROWS) {
    const rows = classes.get(row.fieldClass);
    if (rows === undefined) classes.set(row.fieldClass, [row]);
    else rows.push(row);
  }
  return [...classes].map(([name, rows]) => ({ name, description: CLASS_DESCRIPTIONS[name] ?? '', rows }));
}

/** Names of listed fields close to a misspelt one, best first. */
export function suggestFields(name: string): string[] {
  return nearestNames(
    name,
    FIELD_ROWS.filter((row) => row.hidden !== true).map((row) => row.name),
  );
}
