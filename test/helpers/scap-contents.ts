/** Everything a capture file holds, read through the engine: for tests that compare. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CaptureCounters,
  CaptureError,
  NEXT_END,
  NEXT_EVENT,
} from '../../server/capture/capture-engine.ts';
import { SavefileEngine, type SavefileLimits } from '../../server/capture/savefile/savefile-engine.ts';
import { EventRecord } from '../../server/event/event-record.ts';
import type {
  FdEntry,
  GroupEntry,
  InterfaceEntry,
  MachineEntry,
  SnapshotSink,
  ThreadEntry,
  UserEntry,
} from '../../server/event/snapshot.ts';

/** Keeps every row it is given. */
export class CollectedState implements SnapshotSink {
  readonly machines: MachineEntry[] = [];
  readonly interfaces: InterfaceEntry[] = [];
  readonly users: UserEntry[] = [];
  readonly groups: GroupEntry[] = [];
  readonly threads: ThreadEntry[] = [];
  readonly fds: { tid: number; entries: readonly FdEntry[] }[] = [];
  /** Sections after the first: how many started, and how many were complete. */
  sectionsStarted = 0;
  sectionsReady = 0;

  onMachine(entry: MachineEntry): void {
    this.machines.push(entry);
  }

  onInterfaces(entries: readonly InterfaceEntry[]): void {
    this.interfaces.push(...entries);
  }

  onUser(entry: UserEntry): void {
    this.users.push(entry);
  }

  onGroup(entry: GroupEntry): void {
    this.groups.push(entry);
  }

  onThread(entry: ThreadEntry): void {
    this.threads.push(entry);
  }

  onFds(tid: number, entries: readonly FdEntry[]): void {
    this.fds.push({ tid, entries });
  }

  onSectionStart(): void {
    this.sectionsStarted++;
  }

  onSectionReady(): void {
    this.sectionsReady++;
  }
}

export interface ReadEvent {
  readonly num: number;
  readonly code: string;
  readonly name: string;
  readonly tsNs: bigint;
  readonly tid: number;
  readonly cpu: number;
  readonly flags: number;
  /** One buffer per parameter the record has. */
  readonly params: readonly Buffer[];
  /** The whole record as it is after conversion. */
  readonly record: Buffer;
}

export interface CaptureContents {
  readonly state: CollectedState;
  readonly events: readonly ReadEvent[];
  readonly counters: CaptureCounters;
  /** What ended the capture, when it was damage. */
  readonly error: CaptureError | undefined;
}

function copyEvent(record: EventRecord): ReadEvent {
  const params: Buffer[] = [];
  for (let i = 0; i < record.paramCount; i++) {
    const at = record.paramOffsets[i] as number;
    params.push(Buffer.from(record.bytes.subarray(at, at + (record.paramLengths[i] as number))));
  }
  return {
    num: record.num,
    code: record.info.code,
    name: record.info.name,
    tsNs: record.timestampNs(),
    tid: record.tid,
    cpu: record.cpu,
    flags: record.flags,
    params,
    record: Buffer.from(record.bytes.subarray(record.offset, record.offset + record.length)),
  };
}

async function readAll(engine: SavefileEngine, state: SnapshotSink, events: ReadEvent[]): Promise<void> {
  const record = new EventRecord();
  await engine.open(state);
  for (;;) {
    const result = engine.next(record);
    if (result === NEXT_END) return;
    if (result === NEXT_EVENT) events.push(copyEvent(record));
    else await engine.fill();
  }
}

/** Reads a file to its end or to its damage. */
export async function readCaptureFile(path: string, limits?: SavefileLimits): Promise<CaptureContents> {
  const engine = new SavefileEngine({ path, limits });
  const state = new CollectedState();
  const events: ReadEvent[] = [];
  let error: CaptureError | undefined;
  try {
    await readAll(engine, state, events);
  } catch (cause) {
    if (!(cause instanceof CaptureError)) throw cause;
    error = cause;
  } finally {
    await engine.close();
  }
  return { state, events, counters: engine.counters, error };
}

/** Runs `body` with a directory that is removed afterwards. */
export async function withTempDir<T>(body: (path: string) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), 'strata-test-'));
  try {
    return await body(path);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

/** Reads bytes as a capture file. */
export async function readCaptureBytes(bytes: Uint8Array, limits?: SavefileLimits): Promise<CaptureContents> {
  return await withTempDir(async (dir) => {
    const path = join(dir, 'capture.scap');
    await writeFile(path, bytes);
    return await readCaptureFile(path, limits);
  });
}
