/** From what is wanted of event types to what the probe captures: system calls by number, and the tracepoints beside them. */
import {
  PPME_GENERIC_X,
  PPME_PAGE_FAULT_E,
  PPME_PROCEXIT_1_E,
  PPME_SCHEDSWITCH_6_E,
  PPME_SIGNALDELIVER_E,
  PPME_SYSCALL_CLONE_20_X,
  PPME_SYSCALL_CLONE3_X,
  PPME_SYSCALL_EXECVE_19_X,
  PPME_SYSCALL_EXECVEAT_X,
  PPME_SYSCALL_FORK_20_X,
  PPME_SYSCALL_VFORK_20_X,
} from '../../event/event-types.ts';
import { genericInterest, type Interest } from '../interest.ts';
import {
  EVENT_EXEC,
  EVENT_EXIT,
  EVENT_FORK,
  EVENT_PAGE_FAULT,
  EVENT_SIGNAL,
  EVENT_SWITCH,
  EVENTS_COUNT,
  SYSCALLS_MAX,
} from './probe-abi.ts';

export interface TracepointRow {
  /** Index in `config.events`. */
  readonly event: number;
  /** Programs that write it. */
  readonly programs: readonly string[];
  readonly types: readonly number[];
  /** Costs something by being attached: only when wanted. */
  readonly isOptional: boolean;
}

export const TRACEPOINTS: readonly TracepointRow[] = [
  {
    event: EVENT_FORK,
    programs: ['tp_fork'],
    types: [PPME_SYSCALL_CLONE_20_X, PPME_SYSCALL_FORK_20_X, PPME_SYSCALL_VFORK_20_X, PPME_SYSCALL_CLONE3_X],
    isOptional: false,
  },
  {
    event: EVENT_EXEC,
    programs: ['tp_exec'],
    types: [PPME_SYSCALL_EXECVE_19_X, PPME_SYSCALL_EXECVEAT_X],
    isOptional: false,
  },
  { event: EVENT_EXIT, programs: ['tp_exit'], types: [PPME_PROCEXIT_1_E], isOptional: false },
  { event: EVENT_SIGNAL, programs: ['tp_signal'], types: [PPME_SIGNALDELIVER_E], isOptional: true },
  {
    event: EVENT_PAGE_FAULT,
    programs: ['tp_page_fault_user', 'tp_page_fault_kernel'],
    types: [PPME_PAGE_FAULT_E],
    isOptional: true,
  },
  { event: EVENT_SWITCH, programs: ['tp_switch'], types: [PPME_SCHEDSWITCH_6_E], isOptional: true },
];

/** `config.events` and `config.syscalls`. */
export interface ProbeInterest {
  readonly events: Uint8Array;
  readonly syscalls: Uint8Array;
}

/** `rows`: the event type of each system call by native number. */
export function probeInterest(
  interest: Interest,
  rows: readonly { readonly nr: number; readonly eventType: number; readonly syscallId?: number }[],
): ProbeInterest {
  const events = new Uint8Array(EVENTS_COUNT);
  const syscalls = new Uint8Array(SYSCALLS_MAX);
  for (const { nr, eventType, syscallId } of rows) {
    const isGeneric = eventType === PPME_GENERIC_X && syscallId !== undefined;
    syscalls[nr] = isGeneric ? genericInterest(interest, syscallId) : (interest[eventType] ?? 0);
  }
  for (const { event, types } of TRACEPOINTS) {
    if (types.some((type) => (interest[type] ?? 0) !== 0)) events[event] = 1;
  }
  return { events, syscalls };
}
