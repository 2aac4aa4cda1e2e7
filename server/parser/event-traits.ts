/** What `begin` must know of each event type, worked out once: number arrays indexed by event type. */
import {
  EF_CREATES_FD,
  EF_DESTROYS_FD,
  EF_SKIPPARSERESET,
  EF_USES_FD,
  EVENT_TABLE,
  type EventInfo,
} from '../event/event-table.ts';
import {
  PPM_EVENT_MAX,
  PPME_ASYNCEVENT_E,
  PPME_CONTAINER_JSON_2_E,
  PPME_GROUP_ADDED_E,
  PPME_GROUP_DELETED_E,
  PPME_ITER_TASK_E,
  PPME_ITER_TASK_FILE_ANON_INODE_E,
  PPME_PLUGINEVENT_E,
  PPME_PROCEXIT_1_E,
  PPME_PROCINFO_E,
  PPME_SCHEDSWITCH_6_E,
  PPME_SYSCALL_CLONE_20_X,
  PPME_SYSCALL_CLONE3_X,
  PPME_SYSCALL_FORK_20_X,
  PPME_SYSCALL_VFORK_20_X,
  PPME_USER_ADDED_E,
  PPME_USER_DELETED_E,
} from '../event/event-types.ts';

/** The event has no thread. */
export const LOOKUP_NONE = 0;
/** The event's thread is looked up, and none is made: the thread may be gone, or the event itself will make it. */
export const LOOKUP_FIND = 1;
/** An unknown thread gets a placeholder. */
const LOOKUP_GET = 2;

const WITHOUT_THREAD: ReadonlySet<number> = new Set([
  PPME_CONTAINER_JSON_2_E,
  PPME_USER_ADDED_E,
  PPME_USER_DELETED_E,
  PPME_GROUP_ADDED_E,
  PPME_GROUP_DELETED_E,
  PPME_PLUGINEVENT_E,
  PPME_ASYNCEVENT_E,
]);

const FIND_ONLY: ReadonlySet<number> = new Set([
  PPME_PROCINFO_E,
  PPME_SCHEDSWITCH_6_E,
  PPME_PROCEXIT_1_E,
  PPME_SYSCALL_CLONE_20_X,
  PPME_SYSCALL_FORK_20_X,
  PPME_SYSCALL_VFORK_20_X,
  PPME_SYSCALL_CLONE3_X,
]);

/** Types of a first parameter that is the result of the call, negative when it failed. */
const RESULT_TYPES: ReadonlySet<string> = new Set(['ERRNO', 'FD', 'FD32', 'PID', 'PID32', 'INT64', 'INT32']);

function lookupOf(info: EventInfo): number {
  if (WITHOUT_THREAD.has(info.id)) return LOOKUP_NONE;
  if (info.id >= PPME_ITER_TASK_E && info.id <= PPME_ITER_TASK_FILE_ANON_INODE_E) return LOOKUP_NONE;
  if (FIND_ONLY.has(info.id)) return LOOKUP_FIND;
  return (info.flags & EF_SKIPPARSERESET) !== 0 ? LOOKUP_NONE : LOOKUP_GET;
}

/** The parameter that names the fd an event acts on; in exit events the first one is the result. */
function fdParamOf(info: EventInfo): number {
  if ((info.flags & EF_USES_FD) === 0) return -1;
  const from = info.isEnter ? 0 : 1;
  return info.params.findIndex((param, index) => index >= from && param.type === 'FD');
}

function tableOf(read: (info: EventInfo) => number): Int8Array {
  const table = new Int8Array(PPM_EVENT_MAX);
  for (const info of EVENT_TABLE) table[info.id] = read(info);
  return table;
}

/** One of LOOKUP_*. */
export const THREAD_LOOKUP = tableOf(lookupOf);
/** Index of the parameter with the fd acted on, -1 when the type acts on none. */
export const FD_PARAM = tableOf(fdParamOf);
/** 1 when the first parameter is a result that tells failure. */
export const HAS_RESULT = tableOf((info) =>
  info.source === 'SYSCALL' && !info.isEnter && RESULT_TYPES.has(info.params[0]?.type ?? '') ? 1 : 0,
);
/** 1 when the type is about an fd: creates, uses or destroys one. */
export const IS_FD_EVENT = tableOf((info) =>
  (info.flags & (EF_CREATES_FD | EF_USES_FD | EF_DESTROYS_FD)) !== 0 ? 1 : 0,
);
