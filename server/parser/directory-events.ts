/** chdir, fchdir, getcwd, chroot. */
import {
  PPME_SYSCALL_CHDIR_X,
  PPME_SYSCALL_CHROOT_X,
  PPME_SYSCALL_FCHDIR_X,
  PPME_SYSCALL_GETCWD_X,
} from '../event/event-types.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { joinPath } from '../state/path-join.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import type { HandlerRow, ParserContext } from './parser-context.ts';

export const DIRECTORY_HANDLERS: readonly HandlerRow[] = [
  [PPME_SYSCALL_CHDIR_X, parseChdir],
  [PPME_SYSCALL_GETCWD_X, parseChdir],
  [PPME_SYSCALL_FCHDIR_X, parseFchdir],
  [PPME_SYSCALL_CHROOT_X, parseChroot],
];

/** getcwd tells where the thread is, which mends what a lost chdir left wrong. */
function parseChdir(context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  if (thread === undefined || record.number(0) < 0) return;
  setCwd(context, thread, record.text(1));
}

function parseFchdir(context: ParserContext, event: InspectedEvent): void {
  const { record, thread, fd } = event;
  if (thread === undefined || fd === undefined || record.number(0) < 0) return;
  setCwd(context, thread, fd.name);
}

function parseChroot(context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  if (thread === undefined || record.number(0) !== 0) return;
  context.threads.touch(thread);
  thread.root = joinPath(context.tree.cwd(thread), record.text(1));
}

/** The directory is the main thread's; a relative path starts from the one the calling thread has. */
function setCwd(context: ParserContext, thread: ThreadInfo, path: string): void {
  const main = context.tree.findMain(thread);
  if (main === undefined) return;
  const cwd = cwdFrom(thread.cwd, path);
  if (cwd === main.cwd) return;
  context.threads.touch(main);
  main.cwd = cwd;
}

/** A working directory as rows keep it: normalised, with its trailing slash. */
export function cwdFrom(base: string, path: string): string {
  const joined = joinPath(base, path);
  return joined.endsWith('/') ? joined : `${joined}/`;
}
