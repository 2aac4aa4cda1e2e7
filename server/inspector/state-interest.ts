/** What the state itself needs of a live source, whoever is subscribed: the event types whose parsing changes it. */
import { emptyInterest, type Interest, WANT_FAILURE, WANT_SUCCESS } from '../capture/interest.ts';
import { EVENT_TABLE } from '../event/event-table.ts';
import {
  PPME_SCHEDSWITCH_6_E,
  PPME_SOCKET_CONNECT_X,
  PPME_SOCKET_RECV_X,
  PPME_SOCKET_SEND_X,
  PPME_SYSCALL_BRK_4_X,
  PPME_SYSCALL_MMAP_X,
  PPME_SYSCALL_MMAP2_X,
  PPME_SYSCALL_MUNMAP_X,
  PPME_SYSCALL_PREAD_X,
  PPME_SYSCALL_PREADV_X,
  PPME_SYSCALL_PWRITE_X,
  PPME_SYSCALL_PWRITEV_X,
  PPME_SYSCALL_READ_X,
  PPME_SYSCALL_READV_X,
  PPME_SYSCALL_WRITE_X,
  PPME_SYSCALL_WRITEV_X,
} from '../event/event-types.ts';
import { HANDLED_TYPES } from '../parser/event-parser.ts';

/**
 * Types that are parsed when somebody wants them, but not captured for the state alone: they are the bulk of all system calls,
 * and what they tell is told by others as well, or is out of date at once.
 */
export const NOT_FOR_STATE: ReadonlyMap<number, string> = new Map([
  ...[
    PPME_SYSCALL_READ_X,
    PPME_SYSCALL_READV_X,
    PPME_SYSCALL_PREAD_X,
    PPME_SYSCALL_PREADV_X,
    PPME_SYSCALL_WRITE_X,
    PPME_SYSCALL_WRITEV_X,
    PPME_SYSCALL_PWRITE_X,
    PPME_SYSCALL_PWRITEV_X,
    PPME_SOCKET_RECV_X,
    PPME_SOCKET_SEND_X,
  ].map((type) => [type, 'only tells that a connection stands: connect, accept and getsockopt do'] as const),
  ...[PPME_SYSCALL_BRK_4_X, PPME_SYSCALL_MMAP_X, PPME_SYSCALL_MMAP2_X, PPME_SYSCALL_MUNMAP_X].map(
    (type) => [type, 'memory sizes change without a system call, too'] as const,
  ),
  [PPME_SCHEDSWITCH_6_E, 'memory sizes and page faults; asked for by an option of its own'],
]);

/** Calls that change the state when they fail: a connection under way, and one that did not come about. */
const FAILURES_MATTER: ReadonlySet<number> = new Set([PPME_SOCKET_CONNECT_X]);

/** Live sources know calls by their end: of enter events only those exist that have no end. */
export function stateInterest(): Interest {
  const interest = emptyInterest();
  for (const { id, isEnter, source } of EVENT_TABLE) {
    if (HANDLED_TYPES[id] !== 1 || NOT_FOR_STATE.has(id)) continue;
    if (isEnter && source === 'SYSCALL') continue;
    interest[id] = WANT_SUCCESS | (FAILURES_MATTER.has(id) ? WANT_FAILURE : 0);
  }
  return interest;
}
