/** Walks from a thread to its process, its ancestors and the leaders of its groups. */
import type { StateView } from '../state/os-state.ts';
import type { ThreadInfo } from '../state/thread-info.ts';

/** Ancestors looked at before a chain is taken to be endless. */
const ANCESTORS_MAX = 65_536;

/** The main thread of the row's process; undefined for placeholders and when it was never seen. */
export function findMain(state: StateView, row: ThreadInfo): ThreadInfo | undefined {
  if (row.isMain()) return row;
  if (row.threadGroup === undefined) return undefined;
  const main = state.findThread(row.pid);
  return main?.threadGroup === row.threadGroup ? main : undefined;
}

export function findParent(state: StateView, row: ThreadInfo): ThreadInfo | undefined {
  return state.findThread(row.ptid);
}

/** The ancestor `level` steps above the row's process: 0 is the process itself, 1 its parent. */
export function findAncestor(state: StateView, row: ThreadInfo, level: number): ThreadInfo | undefined {
  let ancestor = findMain(state, row);
  for (let i = 0; i < level && ancestor !== undefined; i++) ancestor = findParent(state, ancestor);
  return ancestor;
}

/**
 * Shows `visit` the ancestors of the row, parent first, until it returns false. A chain that bites its own tail ends
 * where a second walker, twice as fast, meets the first.
 */
export function visitAncestors(
  state: StateView,
  row: ThreadInfo,
  visit: (ancestor: ThreadInfo) => boolean,
): void {
  let slow = findParent(state, row);
  let fast = slow === undefined ? undefined : findParent(state, slow);
  for (let i = 0; i < ANCESTORS_MAX && slow !== undefined && slow.tid !== -1; i++) {
    if (!visit(slow)) return;
    slow = findParent(state, slow);
    for (let step = 0; step < 2; step++) {
      if (fast !== undefined) fast = findParent(state, fast);
      if (slow !== undefined && (slow === fast || slow.tid === slow.ptid)) return;
    }
  }
}

/** Texts of all ancestors, parent first, with a space before each that follows something; undefined when that is nothing. */
export function joinAncestors(
  state: StateView,
  row: ThreadInfo,
  text: (ancestor: ThreadInfo) => string,
): string | undefined {
  const main = findMain(state, row);
  if (main === undefined) return undefined;
  let joined = '';
  visitAncestors(state, main, (ancestor) => {
    if (joined !== '') joined += ' ';
    joined += text(ancestor);
    return true;
  });
  return joined === '' ? undefined : joined;
}

/** Which id names the group whose leader is wanted. */
export type LeaderId = 'sid' | 'pgid' | 'vpgid';

/**
 * The leader of the row's session or process group: the thread with that id or, when it is gone or the id is one of the
 * row's own pid namespace, the highest ancestor in an unbroken line with the same id. undefined when there is none.
 */
export function findLeader(state: StateView, row: ThreadInfo, idName: LeaderId): ThreadInfo | undefined {
  const id = row[idName];
  if (id === -1) return undefined;
  if (idName === 'pgid' || !row.isInPidNamespace()) {
    const leader = state.findThread(id);
    if (leader !== undefined) return leader;
  }
  let leader: ThreadInfo | undefined;
  visitAncestors(state, row, (ancestor) => {
    if (ancestor[idName] !== id) return false;
    leader = ancestor;
    return true;
  });
  return leader;
}
