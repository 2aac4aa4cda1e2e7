/** The fd that `fd.*` fields speak of. */
import { EF_CREATES_FD, EF_DESTROYS_FD, EF_USES_FD, EVENT_TABLE } from '../event/event-table.ts';
import type { FdInfo } from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';

const FD_TYPES = Uint8Array.from(EVENT_TABLE, (info) =>
  (info.flags & (EF_CREATES_FD | EF_USES_FD | EF_DESTROYS_FD)) === 0 ? 0 : 1,
);

/** Whether the event makes, uses or closes an fd, and the thread it happened in is known. */
export function concernsFd(event: InspectedEvent): boolean {
  return FD_TYPES[event.record.type] === 1 && event.thread !== undefined;
}

/** The fd's row; undefined when the event concerns none or it is not known. */
export function fdOfEvent(event: InspectedEvent): FdInfo | undefined {
  const { thread, fd, fdNumber } = event;
  if (thread === undefined || FD_TYPES[event.record.type] === 0) return undefined;
  if (fd !== undefined || fdNumber === -1) return fd;
  return event.state.findFd(thread.fds, fdNumber);
}
