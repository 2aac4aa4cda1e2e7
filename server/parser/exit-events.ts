/** procexit: the thread is marked dead; its row goes once all have looked at it. */
import { PPME_PROCEXIT_1_E } from '../event/event-types.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { HandlerRow, ParserContext } from './parser-context.ts';

const P_REAPER_TID = 4;

export const EXIT_HANDLERS: readonly HandlerRow[] = [[PPME_PROCEXIT_1_E, parseExit]];

function parseExit(context: ParserContext, event: InspectedEvent): void {
  const { record, thread } = event;
  if (thread === undefined) return;
  context.tree.markDead(thread);
  context.removeTid = thread.tid;
  context.recentExits.add(thread.tid, thread.ptid, record.tsHi, record.tsLo);
  if (thread.children.size === 0) return;
  thread.reaperTid = record.isEmpty(P_REAPER_TID) ? -1 : record.number(P_REAPER_TID);
}
