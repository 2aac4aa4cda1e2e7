/** Path arguments made absolute: against the working directory, or the directory an fd argument names. */

import type { ParamInfo } from '../../event/event-table.ts';
import { AT_FDCWD } from '../../event/flag-tables.ts';
import type { InspectedEvent } from '../../state/inspected-event.ts';
import type { StateView } from '../../state/os-state.ts';
import { joinPath } from '../../state/path-join.ts';
import type { ThreadInfo } from '../../state/thread-info.ts';

/** Working directory of the thread's process with its trailing slash; './' when it is not known. */
export function workingDirectory(state: StateView, thread: ThreadInfo): string {
  if (thread.isMain()) return thread.cwd;
  if (thread.threadGroup === undefined) return './';
  const main = state.findThread(thread.pid);
  return main?.threadGroup === thread.threadGroup ? main.cwd : './';
}

/** The directory that relative values of a path parameter start from; '' when its fd is not known. */
function baseDirectory(event: InspectedEvent, thread: ThreadInfo, param: ParamInfo): string {
  const { dirfdParam } = param;
  if (dirfdParam === undefined) return workingDirectory(event.state, thread);
  const { record } = event;
  if (record.info.params[dirfdParam]?.type !== 'FD' || record.isEmpty(dirfdParam)) {
    return workingDirectory(event.state, thread);
  }
  const dirfd = record.number(dirfdParam);
  if (dirfd === AT_FDCWD) return workingDirectory(event.state, thread);
  return event.state.findFd(thread.fds, dirfd)?.name ?? '';
}

/** The absolute form of a relative path parameter; '' when it is absolute already, empty, or the thread is not known. */
export function absolutePathText(event: InspectedEvent, index: number, param: ParamInfo): string {
  const { thread } = event;
  if (thread === undefined) return '';
  const path = event.record.text(index);
  if (path === '' || path === '<NA>' || path.charCodeAt(0) === 47) return '';
  return joinPath(baseDirectory(event, thread, param), path);
}
