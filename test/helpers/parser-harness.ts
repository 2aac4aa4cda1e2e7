/** A parser over an empty state, fed with built events: what the inspector does, without a source. */
import { EventRecord } from '../../server/event/event-record.ts';
import type { ThreadEntry } from '../../server/event/snapshot.ts';
import { EventParser } from '../../server/parser/event-parser.ts';
import { InitialState } from '../../server/parser/initial-state.ts';
import type { ParserOptions } from '../../server/parser/parser-context.ts';
import { InspectedEvent } from '../../server/state/inspected-event.ts';
import { OsState, type StateLimits } from '../../server/state/os-state.ts';
import type { ThreadInfo } from '../../server/state/thread-info.ts';
import { buildEventBytes, type EventOptions, loadEvent, type ParamValue } from './event-builder.ts';
import { oldThreadRow } from './scap-rows.ts';

export const TEST_LIMITS: StateLimits = {
  threadsMax: 1000,
  fdsPerProcessMax: 100,
  usersMax: 100,
  groupsMax: 100,
  containersMax: 100,
  podsMax: 100,
  interfacesMax: 10,
  undoEntriesMax: 100_000,
};

export const BOOT_TS = 1_600_000_000_000_000_000n;

export class ParserHarness {
  readonly state: OsState;
  readonly parser: EventParser;
  readonly event: InspectedEvent;
  private num: number;

  constructor(limits: Partial<StateLimits> = {}, options: ParserOptions = {}) {
    this.state = new OsState({ ...TEST_LIMITS, ...limits });
    this.state.machine = { cpuCount: 1, memoryBytes: 0n, maxPid: 0n, hostname: 'test', bootTsNs: BOOT_TS };
    this.parser = new EventParser(this.state, options);
    this.event = new InspectedEvent(new EventRecord(), this.state);
    this.num = 0;
  }

  /** Parses an event up to where readers would see it. `finish` applies its verdicts. */
  show(
    code: string,
    params: Readonly<Record<string, ParamValue>> = {},
    options: EventOptions = {},
  ): InspectedEvent {
    this.num++;
    loadEvent(this.event.record, buildEventBytes(code, params, options), { num: this.num, ...options });
    this.state.undo.eventNumber = this.event.record.num;
    this.parser.begin(this.event);
    this.parser.parse(this.event);
    return this.event;
  }

  finish(): void {
    this.state.undo.eventNumber = this.event.record.num + 0.5;
    this.parser.finish(this.event);
  }

  /** Parses an event to its end. */
  send(
    code: string,
    params: Readonly<Record<string, ParamValue>> = {},
    options: EventOptions = {},
  ): InspectedEvent {
    const event = this.show(code, params, options);
    this.finish();
    return event;
  }

  /** Adds threads as an initial state does. */
  load(...entries: readonly Partial<ThreadEntry>[]): void {
    const initial = new InitialState(this.state);
    for (const entry of entries) initial.onThread(threadEntry(entry));
    initial.finish();
  }

  thread(tid: number): ThreadInfo {
    const row = this.state.threads.find(tid);
    if (row === undefined) throw new Error(`no thread ${tid}`);
    return row;
  }
}

/** A snapshot entry with defaults for everything; vtid and vpid follow tid and pid. */
export function threadEntry(entry: Partial<ThreadEntry>): ThreadEntry {
  const tid = entry.tid ?? 1000;
  const pid = entry.pid ?? tid;
  return oldThreadRow({
    tid,
    pid,
    sid: pid,
    vpgid: pid,
    pgid: pid,
    comm: 'test',
    exe: 'test',
    exepath: '/bin/test',
    args: '',
    cwd: '/home',
    flags: tid === pid ? 0 : 8193,
    uid: 0,
    gid: 0,
    vtid: tid,
    vpid: pid,
    root: '/',
    ...entry,
  });
}
