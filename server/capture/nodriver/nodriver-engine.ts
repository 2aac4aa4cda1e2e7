/**
 * A live node without a probe: the state is read from /proc when the source opens and anew every so often; there are no events.
 * What changed in between is delivered as differences, so that rows nobody touched stay the same rows.
 */
import type { EventRecord } from '../../event/event-record.ts';
import type { FdEntry, SnapshotSink, ThreadEntry } from '../../event/snapshot.ts';
import {
  type CaptureCounters,
  type CaptureEngine,
  NEXT_END,
  NEXT_NEED_MORE,
  type NextResult,
} from '../capture-engine.ts';
import type { CaptureStatus } from '../capture-status.ts';
import type { LiveOptions } from '../live-options.ts';
import { collectSnapshot, type SnapshotResult } from '../snapshot/collect-snapshot.ts';
import { identitiesVersion } from '../snapshot/identities.ts';
import { createClock, type EventClock } from '../snapshot/node-facts.ts';
import { type SnapshotChanges, SnapshotDifference } from './snapshot-difference.ts';

export type NodriverOptions = Pick<
  LiveOptions,
  'hostRoot' | 'argsBytesMax' | 'collectEnv' | 'nodriverRefreshMs'
>;

/** The thread handles its messages at least this often. */
const WAIT_MS_MAX = 50;
const NS_PER_MS = 1_000_000n;

export class NodriverEngine implements CaptureEngine {
  readonly name: 'nodriver';
  readonly totalBytes: undefined;
  readonly counters: CaptureCounters;
  private readonly options: NodriverOptions;
  private readonly difference: SnapshotDifference;
  private sink: SnapshotSink | undefined;
  /** One for all readings: a thread must not look younger at the next. */
  private clock: EventClock | undefined;
  private last: SnapshotResult | undefined;
  private lastEndMs: number;
  /** Runs beside `fill`; its result waits for the next `fill` to hand it over. */
  private refresh: Promise<void> | undefined;
  private changes: SnapshotChanges | undefined;
  private nextRefreshMs: number;
  private identitiesVersion: string;
  private failure: string;

  constructor(options: NodriverOptions) {
    this.name = 'nodriver';
    this.totalBytes = undefined;
    this.counters = { bytesRead: 0, unknownEvents: 0, absorbedEvents: 0, eventsLost: 0 };
    this.options = options;
    this.difference = new SnapshotDifference();
    this.sink = undefined;
    this.clock = undefined;
    this.last = undefined;
    this.lastEndMs = 0;
    this.refresh = undefined;
    this.changes = undefined;
    this.nextRefreshMs = Number.POSITIVE_INFINITY;
    this.identitiesVersion = '';
    this.failure = '';
  }

  async open(sink: SnapshotSink): Promise<void> {
    this.sink = sink;
    const { bootEpochNs } = createClock(this.options.hostRoot);
    this.clock = { bootEpochNs, nowNs: () => BigInt(Date.now()) * NS_PER_MS };
    await this.collect({
      onMachine: (entry) => sink.onMachine(entry),
      onInterfaces: (entries) => sink.onInterfaces(entries),
      onUser: (entry) => sink.onUser(entry),
      onGroup: (entry) => sink.onGroup(entry),
      onThread: (entry) => {
        this.difference.add(entry);
        sink.onThread(entry);
      },
      onFds: (tid, entries) => {
        this.difference.addFds(tid, entries);
        sink.onFds(tid, entries);
      },
    });
    this.difference.finish();
  }

  next(_record: EventRecord): NextResult {
    return this.sink === undefined ? NEXT_END : NEXT_NEED_MORE;
  }

  /** Hands over what the last refresh found, and starts the next when it is due. */
  async fill(): Promise<void> {
    const { sink } = this;
    if (sink === undefined) return;
    if (this.refresh === undefined && this.changes === undefined && performance.now() >= this.nextRefreshMs) {
      this.refresh = this.collectChanges(sink).finally(() => {
        this.refresh = undefined;
      });
    }
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS_MAX));
    const { changes } = this;
    this.changes = undefined;
    if (changes === undefined || this.sink === undefined) return;
    if (changes.gone.length > 0) sink.onThreadsGone?.(changes.gone);
    if (changes.changed.length > 0) sink.onThreadsChanged?.(changes.changed);
  }

  async close(): Promise<void> {
    this.sink = undefined;
    await this.refresh;
  }

  status(): CaptureStatus {
    const { last } = this;
    return {
      generated: 0,
      suppressed: 0,
      unread: 0,
      truncated: 0,
      failed: 0,
      lostByCause: [],
      lostByType: [],
      ringCount: 0,
      ringBytes: 0,
      ringUsedBytes: 0,
      ringUsedBytesMax: 0,
      systemCallsWanted: 0,
      snapshotSource: last?.source ?? '',
      snapshotEndNs: BigInt(this.lastEndMs) * NS_PER_MS,
      snapshotThreads: last?.threads ?? 0,
      snapshotMs: last?.elapsedMs ?? 0,
      capabilities: [],
      notes: [
        `no events: the state is read anew every ${this.options.nodriverRefreshMs} ms`,
        ...(this.failure === '' ? [] : [`the last reading failed: ${this.failure}`]),
      ],
    };
  }

  private async collect(sink: SnapshotSink): Promise<void> {
    const { hostRoot, argsBytesMax, collectEnv, nodriverRefreshMs } = this.options;
    const version = identitiesVersion(hostRoot);
    try {
      this.last = await collectSnapshot(sink, {
        hostRoot,
        clock: this.clock,
        argsBytesMax,
        environment: collectEnv.length === 0 ? undefined : { allow: collectEnv },
        source: 'procfs',
        // getent starts processes: not at every turn.
        identities: version !== this.identitiesVersion,
      });
      this.identitiesVersion = version;
      this.lastEndMs = Date.now();
    } finally {
      this.nextRefreshMs = performance.now() + nodriverRefreshMs;
    }
  }

  /** Users, groups and interfaces are replaced at once: nothing hangs on their rows. */
  private async collectChanges(sink: SnapshotSink): Promise<void> {
    try {
      await this.collect({
        onMachine: () => undefined,
        onInterfaces: (entries) => sink.onInterfaces(entries),
        onUser: (entry) => sink.onUser(entry),
        onGroup: (entry) => sink.onGroup(entry),
        onThread: (entry: ThreadEntry) => this.difference.add(entry),
        onFds: (tid: number, entries: readonly FdEntry[]) => this.difference.addFds(tid, entries),
      });
      this.changes = this.difference.finish();
      this.failure = '';
    } catch (error) {
      this.failure = (error as Error).message;
    }
  }
}
