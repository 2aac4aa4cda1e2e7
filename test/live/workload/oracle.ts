/**
 * Compares the events of every thread with what strace saw of it: the same calls in the same order, with equal results and
 * arguments. Differences come out as short keys that known-differences.txt may name.
 */
import { EF_OLD_VERSION, EF_UNUSED, EVENT_TABLE } from '../../../server/event/event-table.ts';
import { align } from './align.ts';
import { CALL_PARAMS } from './call-params.ts';
import { paramDifference } from './compare-param.ts';
import { FLAG_PARAMS, flagDifference } from './flag-names.ts';
import type { ObservedEvent } from './observed-event.ts';
import type { StraceCall, StraceThread } from './strace-log.ts';

export interface Difference {
  /** `missing CALL`, `extra EVENT`, `result CALL`, `param EVENT.NAME`, `number CALL`, `exit`. */
  readonly key: string;
  readonly detail: string;
}

export interface OracleReport {
  readonly differences: readonly Difference[];
  readonly threads: number;
  readonly calls: number;
  readonly params: number;
}

/** Calls whose events go by another name. */
const ALIASES: Readonly<Record<string, string>> = {
  pread64: 'pread',
  pwrite64: 'pwrite',
  prlimit64: 'prlimit',
  sendfile64: 'sendfile',
  _llseek: 'llseek',
  exit: 'procexit',
  exit_group: 'procexit',
};

/** Generic events carry the number of 64 bits for the 32-bit calls the workload makes. */
const COMPAT_NUMBERS: Readonly<Record<string, number>> = { 'getpid 20': 39 };

const OWN_EVENTS: ReadonlySet<string> = new Set(
  EVENT_TABLE.filter((row) => !row.isEnter && row.source === 'SYSCALL')
    .filter((row) => (row.flags & (EF_OLD_VERSION | EF_UNUSED)) === 0 && row.id > 1)
    .map((row) => row.name),
);

/** Events of a thread by tid, in order. */
export type EventsByThread = ReadonlyMap<number, readonly ObservedEvent[]>;

export function compareWithStrace(
  threads: ReadonlyMap<number, StraceThread>,
  events: EventsByThread,
): OracleReport {
  const differences: Difference[] = [];
  let calls = 0;
  let params = 0;
  for (const thread of threads.values()) {
    const ours = withoutBirth(events.get(thread.tid) ?? [], thread, differences);
    calls += thread.calls.length;
    params += compareThread(thread, ours, differences);
  }
  return { differences, threads: threads.size, calls, params };
}

/** The child's side of a clone is no call strace sees; before it there is nothing. */
function withoutBirth(
  events: readonly ObservedEvent[],
  thread: StraceThread,
  differences: Difference[],
): readonly ObservedEvent[] {
  if (thread.isFirst) {
    // What strace's child does before it becomes the workload.
    const start = events.findIndex((event) => event.name === 'execve' && event.result === 0n);
    return start < 0 ? events : events.slice(start);
  }
  const births = events.filter(isBirth).length;
  if (births !== 1 || !isBirth(events[0])) {
    differences.push({
      key: 'birth',
      detail: `thread ${thread.tid}: ${births} clone events of the child's side`,
    });
  }
  return events.filter((event) => !isBirth(event));
}

function isBirth(event: ObservedEvent | undefined): boolean {
  return event !== undefined && /^(clone3?|v?fork)$/.test(event.name) && event.result === 0n;
}

/** Returns how many parameters were compared. */
function compareThread(
  thread: StraceThread,
  events: readonly ObservedEvent[],
  differences: Difference[],
): number {
  const add = (key: string, detail: string): void => {
    differences.push({ key, detail: `thread ${thread.tid}: ${detail}` });
  };
  const exits = events.filter(({ name }) => name === 'procexit').length;
  if (exits !== thread.ends) add('exit', `${exits} procexit events, ended ${thread.ends} times`);
  const calls = thread.calls.filter((call) => eventName(call) !== 'procexit');
  const ours = events.filter((event) => event.record.info.source === 'SYSCALL');
  const partners = align(
    calls.map(
      (call) => eventName(call) ?? `syscall-${COMPAT_NUMBERS[`${call.name} ${call.number}`] ?? call.number}`,
    ),
    ours.map(ownName),
  );
  let params = 0;
  let next = 0;
  calls.forEach((call, i) => {
    const partner = partners[i] as number;
    if (partner < 0) {
      // Killed inside the call: strace saw no end of it, and neither did anybody else.
      if (call.result !== undefined)
        add(`missing ${call.name}`, `${show(call)}, before ${showEvent(ours[next])}`);
      return;
    }
    for (const event of ours.slice(next, partner))
      add(`extra ${ownName(event)}`, `${showEvent(event)} before ${show(call)}`);
    next = partner + 1;
    params += compareCall(call, ours[partner] as ObservedEvent, add);
  });
  for (const event of ours.slice(next))
    add(`extra ${ownName(event)}`, `${showEvent(event)} after the last call`);
  return params;
}

function sameResult(call: StraceCall, event: ObservedEvent): boolean {
  const got = event.result;
  if (got === undefined) return true;
  const wanted = call.result ?? 0n;
  return got === BigInt.asIntN(64, wanted) || (event.isUnsignedResult && got === BigInt.asUintN(32, wanted));
}

function compareCall(
  call: StraceCall,
  event: ObservedEvent,
  add: (key: string, detail: string) => void,
): number {
  if (event.isGeneric) return 1;
  let compared = 1;
  if (call.result !== undefined && !sameResult(call, event))
    add(`result ${event.name}`, `${event.result} in ${show(call)}`);
  for (const row of CALL_PARAMS[event.name] ?? []) {
    const index = event.indexOf(row[0]);
    if (index < 0) {
      add(`param ${event.name}.${row[0]}`, 'the event type has no such parameter');
      continue;
    }
    compared++;
    const difference = paramDifference(row, call, event, index);
    if (difference !== undefined) add(`param ${event.name}.${row[0]}`, `${difference} in ${show(call)}`);
  }
  return compared + compareFlags(call, event, add);
}

function compareFlags(
  call: StraceCall,
  event: ObservedEvent,
  add: (key: string, detail: string) => void,
): number {
  let compared = 0;
  for (const [param, arg] of FLAG_PARAMS[event.name] ?? []) {
    const index = event.indexOf(param);
    const info = event.record.info.params[index];
    if (info?.table === undefined || event.record.isEmpty(index)) continue;
    compared++;
    const value = event.record.unsignedNumber(index);
    const difference = flagDifference(info.table, info.type.startsWith('ENUM'), value, call.args[arg]);
    if (difference !== undefined) add(`flags ${event.name}.${param}`, `${difference} in ${show(call)}`);
  }
  return compared;
}

/** Name of the event of a call; undefined when the call has none of its own. */
function eventName(call: StraceCall): string | undefined {
  const name = ALIASES[call.name] ?? call.name;
  return name === 'procexit' || OWN_EVENTS.has(name) ? name : undefined;
}

function ownName(event: ObservedEvent): string {
  return event.isGeneric ? `syscall-${event.nativeNumber}` : event.name;
}

function show(call: StraceCall): string {
  const args = call.args.map((arg) => (arg.length > 160 ? `${arg.slice(0, 160)}...` : arg)).join(', ');
  return `${call.name}(${args}) = ${call.result ?? '?'} (log line ${call.line})`;
}

function showEvent(event: ObservedEvent | undefined): string {
  return event === undefined ? 'nothing' : `${ownName(event)} = ${event.result ?? '-'}`;
}
