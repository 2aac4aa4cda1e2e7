/** Limits and memory: rlimit calls, memory mapping calls, context switches. */
import {
  PPME_SCHEDSWITCH_6_E,
  PPME_SYSCALL_BRK_4_X,
  PPME_SYSCALL_GETRLIMIT_X,
  PPME_SYSCALL_MMAP_X,
  PPME_SYSCALL_MMAP2_X,
  PPME_SYSCALL_MUNMAP_X,
  PPME_SYSCALL_PRLIMIT_X,
  PPME_SYSCALL_SETRLIMIT_X,
} from '../event/event-types.ts';
import type { Integer } from '../event/u64.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import type { HandlerRow, ParserContext } from './parser-context.ts';

const RLIMIT_NOFILE = 7;

export const RESOURCE_HANDLERS: readonly HandlerRow[] = [
  [PPME_SYSCALL_GETRLIMIT_X, parseRlimit],
  [PPME_SYSCALL_SETRLIMIT_X, parseRlimit],
  [PPME_SYSCALL_PRLIMIT_X, parsePrlimit],
  [PPME_SYSCALL_BRK_4_X, parseMapping],
  [PPME_SYSCALL_MMAP_X, parseMapping],
  [PPME_SYSCALL_MMAP2_X, parseMapping],
  [PPME_SYSCALL_MUNMAP_X, parseMapping],
  [PPME_SCHEDSWITCH_6_E, parseSwitch],
];

function parseRlimit(context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  if (thread === undefined || record.number(0) < 0) return;
  if (record.unsignedNumber(3) === RLIMIT_NOFILE) setFdlimit(context, thread, record.signed(1));
}

function parsePrlimit(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  if (record.number(0) !== 0 || record.isEmpty(6) || record.unsignedNumber(6) !== RLIMIT_NOFILE) return;
  const limit = record.signed(1);
  if (limit === -1 || record.isEmpty(5)) return;
  const tid = record.number(5);
  const target = context.getThread(tid === 0 ? record.tid : tid);
  if (target !== undefined && !target.isInvalid()) setFdlimit(context, target, limit);
}

/** The limit is the process's; -1 says the call did not set one. */
function setFdlimit(context: ParserContext, thread: ThreadInfo, limit: Integer): void {
  const main = context.tree.findMain(thread);
  if (main === undefined || limit === -1 || main.fdlimit === limit) return;
  context.threads.touch(main);
  main.fdlimit = limit;
}

function parseMapping(context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  if (thread === undefined) return;
  const size = record.isEmpty(1) ? thread.vmsizeKb : record.unsignedNumber(1);
  const hasRest = !record.isEmpty(3);
  const rss = hasRest ? record.unsignedNumber(2) : thread.vmrssKb;
  const swap = hasRest ? record.unsignedNumber(3) : thread.vmswapKb;
  setMemory(context, thread, size, rss, swap);
}

function setMemory(context: ParserContext, row: ThreadInfo, size: number, rss: number, swap: number): void {
  if (row.vmsizeKb === size && row.vmrssKb === rss && row.vmswapKb === swap) return;
  context.threads.touch(row);
  row.vmsizeKb = size;
  row.vmrssKb = rss;
  row.vmswapKb = swap;
}

/** A switch tells page faults of the thread and memory of its process. */
function parseSwitch(context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  if (thread === undefined || record.isEmpty(5)) return;
  const major = record.unsigned(1);
  const minor = record.unsigned(2);
  if (thread.pfmajor !== major || thread.pfminor !== minor) {
    context.threads.touch(thread);
    thread.pfmajor = major;
    thread.pfminor = minor;
  }
  const main = context.tree.findMain(thread);
  if (main === undefined) return;
  setMemory(context, main, record.unsignedNumber(3), record.unsignedNumber(4), record.unsignedNumber(5));
}
