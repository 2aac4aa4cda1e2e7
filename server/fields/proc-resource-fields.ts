/** Rows of the proc class about fds, memory, threads and the standard streams. */

import type { InspectedEvent } from '../state/inspected-event.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import { findMain } from './ancestors.ts';
import { fdWord } from './fd-kinds.ts';
import type { FieldRow, FieldType, FieldValue } from './field.ts';
import { rowsOf } from './field-row.ts';
import { fdLimit, openFdCount } from './proc-exe-fields.ts';
import { ofThread, type ThreadValue } from './proc-shape.ts';

const row = rowsOf('proc');

const STREAMS = ['stdin', 'stdout', 'stderr'] as const;
const PERCENT = 100;

function count(name: string, description: string, value: ThreadValue, type: FieldType = 'uint64'): FieldRow {
  return row(name, type, 'DEC', description, ofThread(value));
}

function fdUsage(thread: ThreadInfo, event: InspectedEvent): FieldValue {
  const limit = Number(fdLimit(thread, event));
  if (limit <= 0) return 0;
  const open = openFdCount(thread, event);
  return open <= limit ? (open * PERCENT) / limit : PERCENT;
}

/** Threads of the process that have not exited, without the main thread. */
function aliveThreads(thread: ThreadInfo, event: InspectedEvent): number {
  const main = findMain(event.state, thread);
  // The count is kept on the main thread, where its old versions are kept too.
  return main === undefined ? (thread.threadGroup?.aliveCount ?? 0) : main.threadCount;
}

function allThreads(thread: ThreadInfo, event: InspectedEvent): number {
  const main = findMain(event.state, thread);
  const isMainAlive = main?.threadGroup !== undefined && !main.isDead;
  return aliveThreads(thread, event) + (isMainAlive ? 1 : 0);
}

export const PROC_RESOURCE_FIELDS: readonly FieldRow[] = [
  count('proc.fdopencount', 'number of open fds', openFdCount),
  count('proc.fdlimit', 'fd limit of the process', fdLimit, 'int64'),
  row('proc.fdusage', 'double', 'NA', 'open fds as a percentage of the limit', ofThread(fdUsage)),
  count('proc.vmsize', 'virtual memory, kB', (thread) => thread.vmsizeKb),
  count('proc.vmrss', 'resident memory, kB', (thread) => thread.vmrssKb),
  count('proc.vmswap', 'swapped memory, kB', (thread) => thread.vmswapKb),
  count('proc.nthreads', 'live threads of the process', allThreads),
  count('proc.nchilds', 'live non-leader threads', aliveThreads),
];

export const PROC_STREAM_FIELDS: readonly FieldRow[] = [
  ...STREAMS.map((stream, fd) =>
    row(
      `proc.${stream}.type`,
      'string',
      'NA',
      `type of fd ${fd}`,
      ofThread((thread, event) => {
        const info = event.state.findFd(thread.fds, fd);
        return info === undefined ? undefined : fdWord(info.type);
      }),
    ),
  ),
  ...STREAMS.map((stream, fd) =>
    row(
      `proc.${stream}.name`,
      'string',
      'NA',
      `name of fd ${fd}`,
      ofThread((thread, event) => event.state.findFd(thread.fds, fd)?.name),
    ),
  ),
];
