/** An engine whose snapshot and records are cleaned before they are handed on; only records of started programs are looked at. */
import { EVENT_HEADER_BYTES, EventRecord } from '../event/event-record.ts';
import { EVENT_TABLE } from '../event/event-table.ts';
import { PPM_EVENT_MAX } from '../event/event-types.ts';
import type { SnapshotSink } from '../event/snapshot.ts';
import { type CaptureEngine, NEXT_EVENT, type NextResult } from './capture-engine.ts';
import type { CaptureStatus } from './capture-status.ts';
import type { Interest } from './interest.ts';
import type { Redactor } from './redaction.ts';

interface CommandParams {
  readonly exe: number;
  readonly args: number;
  readonly env: number;
}

/** Where the texts of a command are, for the event types that have them: exec, clone and their kin. */
const COMMAND_PARAMS: readonly (CommandParams | undefined)[] = Array.from(
  { length: PPM_EVENT_MAX },
  (_, type) => {
    const names = EVENT_TABLE[type]?.params.map((param) => param.name) ?? [];
    const at = { exe: names.indexOf('exe'), args: names.indexOf('args'), env: names.indexOf('env') };
    return at.exe >= 0 && at.args >= 0 ? at : undefined;
  },
);

export class RedactingEngine implements CaptureEngine {
  readonly setInterest: ((types: Interest) => void) | undefined;
  readonly status: (() => CaptureStatus) | undefined;
  readonly horizonNs: (() => bigint) | undefined;
  private readonly inner: CaptureEngine;
  private readonly redactor: Redactor;
  private readonly scratch: EventRecord;
  private innerBytes: Buffer | undefined;
  private innerView: DataView;

  constructor(inner: CaptureEngine, redactor: Redactor) {
    this.inner = inner;
    this.redactor = redactor;
    this.scratch = new EventRecord();
    this.innerBytes = undefined;
    this.innerView = this.scratch.view;
    const { setInterest, status, horizonNs } = inner;
    this.setInterest = setInterest === undefined ? undefined : (types) => setInterest.call(inner, types);
    this.status = status === undefined ? undefined : () => status.call(inner);
    this.horizonNs = horizonNs === undefined ? undefined : () => horizonNs.call(inner);
  }

  get name(): CaptureEngine['name'] {
    return this.inner.name;
  }

  get counters(): CaptureEngine['counters'] {
    return this.inner.counters;
  }

  get totalBytes(): number | undefined {
    return this.inner.totalBytes;
  }

  open(sink: SnapshotSink): Promise<void> {
    return this.inner.open(redactingSink(sink, this.redactor));
  }

  next(record: EventRecord): NextResult {
    // The inner engine goes on with the buffer it attached.
    if (this.innerBytes !== undefined) {
      record.bytes = this.innerBytes;
      record.view = this.innerView;
      this.innerBytes = undefined;
    }
    const result = this.inner.next(record);
    if (result === NEXT_EVENT && COMMAND_PARAMS[record.type] !== undefined) this.clean(record);
    return result;
  }

  fill(): Promise<void> {
    return this.inner.fill();
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  private clean(record: EventRecord): void {
    const { exe, args, env } = COMMAND_PARAMS[record.type] as CommandParams;
    const [newExe, newArgs] = this.redactor.command(record.text(exe), record.binary(args));
    const newEnv = env < 0 ? '' : this.redactor.env(record.binary(env));
    const isSame =
      newArgs === record.binary(args) &&
      newExe === record.text(exe) &&
      (env < 0 || newEnv === record.binary(env));
    if (isSame) return;
    const values = new Map([
      [exe, record.isEmpty(exe) ? '' : `${newExe}\0`],
      [args, newArgs],
      [env, newEnv],
    ]);
    const bytes = rebuild(record, values);
    this.innerBytes = record.bytes;
    this.innerView = record.view;
    const { cpu, flags, num } = record;
    record.attach(bytes);
    record.load(0, cpu, flags);
    record.num = num;
  }
}

/** The record with other values for some of its parameters, by index. */
function rebuild(record: EventRecord, values: ReadonlyMap<number, string>): Buffer {
  const { bytes, offset, paramCount, info } = record;
  const parts = Array.from({ length: paramCount }, (_, index) => {
    const value = values.get(index);
    if (value !== undefined) return Buffer.from(value, 'latin1');
    const at = record.paramOffsets[index] as number;
    return bytes.subarray(at, at + record.lengthOf(index));
  });
  const lengths = Buffer.alloc(paramCount * info.lengthSize);
  parts.forEach((part, index) => {
    if (info.lengthSize === 2) lengths.writeUInt16LE(part.length, index * 2);
    else lengths.writeUInt32LE(part.length, index * 4);
  });
  const rebuilt = Buffer.concat([bytes.subarray(offset, offset + EVENT_HEADER_BYTES), lengths, ...parts]);
  rebuilt.writeUInt32LE(rebuilt.length, 16);
  rebuilt.writeUInt32LE(paramCount, 22);
  return rebuilt;
}

function redactingSink(sink: SnapshotSink, redactor: Redactor): SnapshotSink {
  return {
    onMachine: (entry) => sink.onMachine(entry),
    onInterfaces: (entries) => sink.onInterfaces(entries),
    onUser: (entry) => sink.onUser(entry),
    onGroup: (entry) => sink.onGroup(entry),
    onThread: (entry) => sink.onThread(redactor.thread(entry)),
    onFds: (tid, entries) => sink.onFds(tid, entries),
    onThreadsChanged: (changes) =>
      sink.onThreadsChanged?.(
        changes.map((change) => ({ ...change, thread: redactor.thread(change.thread) })),
      ),
    onThreadsGone: (tids) => sink.onThreadsGone?.(tids),
  };
}
