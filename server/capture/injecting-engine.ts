/**
 * An engine whose stream takes up records of others between its own: what is learned beside the events becomes an event of its own,
 * with a number and a time that fit where it stands. All that read the stream (parser, subscriptions, recordings) see one sequence.
 */
import type { EventRecord } from '../event/event-record.ts';
import type { SnapshotSink } from '../event/snapshot.ts';
import { u64Big } from '../event/u64.ts';
import { type CaptureEngine, NEXT_EVENT, NEXT_NEED_MORE, type NextResult } from './capture-engine.ts';
import type { CaptureStatus } from './capture-status.ts';
import type { Interest } from './interest.ts';

export interface InjectionLimits {
  /** Productions that wait, and the bytes their makers say they stand for. */
  readonly waitingMax: number;
  readonly bytesMax: number;
}

export const DEFAULT_INJECTION_LIMITS: InjectionLimits = { waitingMax: 65_536, bytesMax: 64 * 1024 * 1024 };

export interface InjectionCounters {
  /** Records put into the stream. */
  injected: number;
  /** Productions refused because as many as may be were waiting. */
  refused: number;
}

interface Production {
  readonly produce: () => readonly Buffer[];
  readonly byteEstimate: number;
}

export class InjectingEngine implements CaptureEngine {
  readonly setInterest: ((types: Interest) => void) | undefined;
  readonly status: (() => CaptureStatus) | undefined;
  readonly injection: InjectionCounters;
  private readonly inner: CaptureEngine;
  private readonly limits: InjectionLimits;
  private readonly wallNs: () => bigint;
  private waiting: Production[];
  private head: number;
  private waitingBytes: number;
  /** Records of the production whose turn it is. */
  private records: readonly Buffer[];
  private recordAt: number;
  private num: number;
  /** No event shown or to come is on the wrong side of this: ns since the epoch. */
  private timeNs: bigint;
  private lastTsHi: number;
  private lastTsLo: number;
  /** What the inner engine has attached, while a record of our own is. */
  private innerBytes: Buffer | undefined;
  private innerView: DataView | undefined;
  private innerFill: Promise<void> | undefined;
  private wake: (() => void) | undefined;

  /** `wallNs`: the time for engines that do not tell their own. */
  constructor(
    inner: CaptureEngine,
    limits: InjectionLimits = DEFAULT_INJECTION_LIMITS,
    wallNs: () => bigint = () => BigInt(Date.now()) * 1_000_000n,
  ) {
    this.inner = inner;
    this.limits = limits;
    this.wallNs = wallNs;
    this.injection = { injected: 0, refused: 0 };
    this.waiting = [];
    this.head = 0;
    this.waitingBytes = 0;
    this.records = [];
    this.recordAt = 0;
    this.num = 0;
    this.timeNs = 0n;
    this.lastTsHi = 0;
    this.lastTsLo = 0;
    this.innerBytes = undefined;
    this.innerView = undefined;
    this.innerFill = undefined;
    this.wake = undefined;
    const { setInterest, status } = inner;
    this.setInterest = setInterest === undefined ? undefined : (types) => setInterest.call(inner, types);
    this.status = status === undefined ? undefined : () => status.call(inner);
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

  /**
   * Puts the records that `produce` makes into the stream, before the source's next event. They are made when their turn has come:
   * all that was injected before has been parsed then, unless it came from the same call. Times are filled in here.
   * False: there is no room, and nothing will be produced.
   */
  inject(produce: () => readonly Buffer[], byteEstimate: number): boolean {
    const { limits } = this;
    const isFull =
      this.waiting.length - this.head >= limits.waitingMax ||
      this.waitingBytes + byteEstimate > limits.bytesMax;
    if (isFull) {
      this.injection.refused++;
      return false;
    }
    this.waiting.push({ produce, byteEstimate });
    this.waitingBytes += byteEstimate;
    this.wake?.();
    return true;
  }

  open(sink: SnapshotSink): Promise<void> {
    return this.inner.open(sink);
  }

  next(record: EventRecord): NextResult {
    if (this.head < this.waiting.length || this.recordAt < this.records.length) {
      const bytes = this.takeInjected();
      if (bytes !== undefined) {
        this.load(record, bytes);
        return NEXT_EVENT;
      }
    }
    if (this.innerBytes !== undefined) this.giveBack(record);
    const result = this.inner.next(record);
    if (result === NEXT_EVENT) {
      record.num = ++this.num;
      this.lastTsHi = record.tsHi;
      this.lastTsLo = record.tsLo;
    } else if (result === NEXT_NEED_MORE) {
      const horizonNs = this.inner.horizonNs?.() ?? this.wallNs();
      if (horizonNs > this.timeNs) this.timeNs = horizonNs;
    }
    return result;
  }

  /** Comes back at once when something is injected. The wait for the source goes on then, and is taken up by the next call. */
  async fill(): Promise<void> {
    if (this.head < this.waiting.length) return;
    this.innerFill ??= this.inner.fill().finally(() => {
      this.innerFill = undefined;
    });
    const injected = new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    try {
      await Promise.race([this.innerFill, injected]);
    } finally {
      this.wake = undefined;
    }
  }

  async close(): Promise<void> {
    // A wait that nobody takes up any more must not end the process when it is cut off.
    this.innerFill?.catch(() => undefined);
    this.wake?.();
    await this.inner.close();
  }

  private takeInjected(): Buffer | undefined {
    while (this.recordAt >= this.records.length) {
      const production = this.waiting[this.head];
      if (production === undefined) return undefined;
      this.head++;
      if (this.head === this.waiting.length) {
        this.waiting = [];
        this.head = 0;
      }
      this.waitingBytes -= production.byteEstimate;
      this.records = production.produce();
      this.recordAt = 0;
    }
    const bytes = this.records[this.recordAt++];
    if (this.recordAt === this.records.length) {
      this.records = [];
      this.recordAt = 0;
    }
    return bytes;
  }

  private load(record: EventRecord, bytes: Buffer): void {
    if (this.innerBytes === undefined) {
      this.innerBytes = record.bytes;
      this.innerView = record.view;
    }
    const lastNs = u64Big(this.lastTsHi, this.lastTsLo);
    if (lastNs > this.timeNs) this.timeNs = lastNs;
    // Before the first look into the source there is no better time.
    if (this.timeNs === 0n) this.timeNs = this.inner.horizonNs?.() ?? this.wallNs();
    bytes.writeBigUInt64LE(this.timeNs, 0);
    record.attach(bytes);
    record.load(0, 0, 0);
    record.num = ++this.num;
    this.injection.injected++;
  }

  /** The inner engine goes on with the buffer it attached. */
  private giveBack(record: EventRecord): void {
    record.bytes = this.innerBytes as Buffer;
    record.view = this.innerView as DataView;
    this.innerBytes = undefined;
    this.innerView = undefined;
  }
}
