/** Live capture: events of this node as the probe in the kernel writes them. */
import type { EventRecord } from '../../event/event-record.ts';
import { EVENT_TABLE } from '../../event/event-table.ts';
import { PPM_EVENT_MAX } from '../../event/event-types.ts';
import type { SnapshotSink } from '../../event/snapshot.ts';
import { StrataError } from '../../event/strata-error.ts';
import {
  type CaptureCounters,
  type CaptureEngine,
  NEXT_END,
  NEXT_EVENT,
  NEXT_NEED_MORE,
  type NextResult,
} from '../capture-engine.ts';
import type { CaptureStatus, LossCount } from '../capture-status.ts';
import { emptyInterest, type Interest } from '../interest.ts';
import type { LiveOptions } from '../live-options.ts';
import { collectSnapshot, type SnapshotResult } from '../snapshot/collect-snapshot.ts';
import { Reconciler } from '../snapshot/reconciler.ts';
import { BootClock } from './boot-clock.ts';
import {
  CONNECT_CAPABILITY,
  currentCapabilities,
  dropCapabilities,
  KEPT_CAPABILITIES,
} from './capabilities.ts';
import { describeMissing, missingFeatures, refusalReason } from './feature-check.ts';
import { pageBytes } from './libc.ts';
import { type KernelTotals, Probe, type ProbeRow, possibleCpuCount } from './probe.ts';
import { CONFIG } from './probe-abi.ts';
import { ownPid, writeConfig } from './probe-config.ts';
import { probeInterest, TRACEPOINTS } from './probe-interest.ts';
import { isArchitecture, probeTables } from './probe-tables.ts';
import { Ring } from './ring.ts';
import { RingMerge } from './ring-merge.ts';
import { planRings } from './ring-plan.ts';
import { RingWaiter } from './ring-waiter.ts';
import { suppressRunning } from './suppressed-processes.ts';

/** The loop comes by at least this often. */
const WAIT_MS_MAX = 50;
const LOSS_REFRESH_NS = 1e6;
const MISSES_REFRESH_NS = 1e9;
const NS_PER_US = 1000;
const NS_PER_MS = 1e6;
/** For a record whose writer is not done. */
const SLEEP_NS_MIN = 20_000;
const NEVER_WOKEN: Int32Array = new Int32Array(new SharedArrayBuffer(4));

interface Running {
  readonly probe: Probe;
  readonly clock: BootClock;
  readonly merge: RingMerge;
  readonly waiter: RingWaiter;
  readonly rows: readonly ProbeRow[];
}

export class EbpfEngine implements CaptureEngine {
  readonly name = 'ebpf';
  readonly totalBytes = undefined;
  readonly counters: CaptureCounters;
  private readonly options: LiveOptions;
  private readonly windowNs: number;
  private readonly notes: string[];
  private interest: Interest;
  private running: Running | undefined;
  private isClosed: boolean;
  private snapshot: SnapshotResult | undefined;
  private snapshotEndNs: bigint;
  /** While early events may be older than the snapshot. */
  private reconciler: Reconciler | undefined;
  private eventCount: number;
  private lossAt: number;
  private missesAt: number;
  private misses: number;
  private sleepUntil: number;
  /** All records up to here have been handed out, ns after the clock's base. */
  private horizonAt: number;

  /** `interest`: what is captured until `setInterest` says otherwise. */
  constructor(options: LiveOptions, interest: Interest = emptyInterest()) {
    this.options = options;
    this.windowNs = options.reorderWindowUs * NS_PER_US;
    this.counters = { bytesRead: 0, unknownEvents: 0, absorbedEvents: 0, eventsLost: 0 };
    this.notes = [];
    this.interest = interest.slice();
    this.running = undefined;
    this.isClosed = false;
    this.snapshot = undefined;
    this.snapshotEndNs = 0n;
    this.reconciler = undefined;
    this.eventCount = 0;
    this.lossAt = -Infinity;
    this.missesAt = -Infinity;
    this.misses = 0;
    this.sleepUntil = -Infinity;
    this.horizonAt = 0;
  }

  /** Attaches, then collects the initial state. Throws a StrataError that says what is missing and what to do. */
  async open(sink: SnapshotSink): Promise<void> {
    const missing = missingFeatures();
    if (missing.length > 0) throw notPossible(describeMissing(missing));
    try {
      this.running = this.start();
    } catch (error) {
      throw notPossible(describeMissing([refusalReason(error)]), error);
    }
    await this.collect(sink, this.running.clock);
    if (this.options.dropCapabilities) await this.dropCapabilities(this.options.foreignSocket);
  }

  next(record: EventRecord): NextResult {
    const { running } = this;
    if (running === undefined) return NEXT_END;
    const { merge } = running;
    do {
      if (!merge.next(record)) {
        this.beginRound(running);
        if (!merge.next(record)) return this.needMore(running);
      }
    } while (this.reconciler?.shouldSkip(record));
    record.num = ++this.eventCount;
    this.counters.bytesRead += record.length;
    return NEXT_EVENT;
  }

  async fill(): Promise<void> {
    const { running } = this;
    if (running === undefined) return;
    const { merge, waiter, clock } = running;
    if (merge.hasMore) {
      // Too new yet. After a wake-up the wait is short, and a timer would make it long: the thread sleeps until the record is old
      // enough. Going round the event loop meanwhile took 7.2 % of a core at 50 events a second, this takes 2.6 %.
      const now = clock.now();
      const remainingNs = Math.max(merge.oldestAt + this.windowNs - now, SLEEP_NS_MIN);
      // The thread has messages to handle, too.
      if (now >= this.sleepUntil || remainingNs > NS_PER_MS) return waiter.nap();
      Atomics.wait(NEVER_WOKEN, 0, 0, remainingNs / NS_PER_MS);
      return;
    }
    if (await waiter.wait(() => merge.hasInput)) this.sleepUntil = clock.now() + 2 * this.windowNs;
  }

  setInterest(types: Interest): void {
    this.interest = types.slice();
    const { running } = this;
    if (running === undefined) return;
    this.applyInterest(running.probe, running.rows);
  }

  horizonNs(): bigint {
    const { running } = this;
    if (running === undefined) return 0n;
    return (BigInt(running.clock.baseHi) << 32n) + BigInt(Math.floor(this.horizonAt));
  }

  /** Sums of the kernel side; zeros before `open`. */
  kernelTotals(): KernelTotals {
    return (
      this.running?.probe.totals() ?? {
        generated: 0,
        dropped: 0,
        suppressed: 0,
        unread: 0,
        truncated: 0,
        failed: 0,
      }
    );
  }

  /** Events handed out so far. */
  get eventsDelivered(): number {
    return this.eventCount;
  }

  status(): CaptureStatus {
    const { running } = this;
    const totals = this.kernelTotals();
    const rings = running?.merge.rings ?? [];
    if (running !== undefined) this.refreshLoss(running);
    return {
      generated: totals.generated,
      suppressed: totals.suppressed,
      unread: totals.unread,
      truncated: totals.truncated,
      failed: totals.failed,
      lostByCause: this.lostByCause(totals),
      lostByType: running === undefined ? [] : lostByType(running.probe),
      ringCount: rings.length,
      ringBytes: rings.reduce((sum, ring) => sum + ring.capacityBytes, 0),
      ringUsedBytes: rings.reduce((sum, ring) => sum + ring.usedBytes, 0),
      ringUsedBytesMax: rings.reduce((max, ring) => Math.max(max, ring.usedBytesMax), 0),
      systemCallsWanted: running === undefined ? 0 : wantedSyscalls(running.probe.config),
      snapshotSource: this.snapshot?.source ?? '',
      snapshotEndNs: this.snapshotEndNs,
      snapshotThreads: this.snapshot?.threads ?? 0,
      snapshotMs: this.snapshot?.elapsedMs ?? 0,
      capabilities: currentCapabilities(),
      notes: this.notes,
    };
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    const { running } = this;
    this.running = undefined;
    running?.waiter.close();
    running?.probe.close();
  }

  private async dropCapabilities(foreignSocket: string): Promise<void> {
    const kept = foreignSocket === '' ? [] : [CONNECT_CAPABILITY];
    const refusal = await dropCapabilities([...KEPT_CAPABILITIES, ...kept]);
    if (refusal !== '') this.note(refusal);
    if (kept.length > 0)
      this.note(`${CONNECT_CAPABILITY} is kept to reach ${foreignSocket}, which belongs to a user`);
  }

  private start(): Running {
    const { options } = this;
    const { arch } = process;
    if (!isArchitecture(arch)) throw new Error(`no probe for ${arch}`);
    const tables = probeTables(arch);
    const clock = new BootClock();
    const wanted = { count: options.ringCount, bytes: options.ringBytes };
    const plan = planRings(wanted, possibleCpuCount(), pageBytes());
    const probe = new Probe({ ringCount: plan.count, ringBytes: plan.bytes, tables });
    try {
      if (plan.note !== '') this.note(plan.note);
      for (const name of probe.missingPrograms) this.note(`system calls of ${name} are not captured`);
      for (const text of writeConfig(probe.config, options, clock.bootEpochNs)) this.note(text);
      this.applyInterest(probe, tables.rows);
      const optional = new Set(TRACEPOINTS.filter((row) => row.isOptional).flatMap((row) => row.programs));
      for (const name of probe.tracepoints) {
        if (!optional.has(name)) probe.attach(name);
      }
      // Attached by now, so that what is forked meanwhile inherits it.
      suppressRunning(options.hostRoot, options.suppressPids, options.suppressComms, (pid) =>
        this.suppress(probe, pid),
      );
      const rings = probe.rings.map((memory) => new Ring(memory));
      const merge = new RingMerge(rings, clock.baseHi);
      const waiter = new RingWaiter(probe.ringFds, probe.wake, WAIT_MS_MAX);
      this.horizonAt = clock.now();
      probe.config.writeUInt32LE(1, CONFIG.enabled);
      return { probe, clock, merge, waiter, rows: tables.rows };
    } catch (error) {
      probe.close();
      throw error;
    }
  }

  /** Capture runs already: what changes meanwhile is in the rings, and the reconciler tells what the rows contain of it. */
  private async collect(sink: SnapshotSink, clock: BootClock): Promise<void> {
    const { hostRoot, collectEnv, argsBytesMax, captureSelf } = this.options;
    const reconciler = new Reconciler({ hostRoot, clock, onGone: (tids) => sink.onThreadsGone?.(tids) });
    this.snapshot = await collectSnapshot(sink, {
      hostRoot,
      clock,
      environment: collectEnv.length === 0 ? undefined : { allow: collectEnv },
      argsBytesMax,
      excludedPids: captureSelf ? undefined : new Set([ownPid(hostRoot)]),
      reads: reconciler,
    });
    this.snapshotEndNs = clock.nowNs();
    this.reconciler = reconciler;
    const { fallbackReason } = this.snapshot;
    if (fallbackReason !== '') this.note(`the initial state is read from /proc: ${fallbackReason}`);
  }

  private applyInterest(probe: Probe, rows: readonly ProbeRow[]): void {
    const wanted = probeInterest(this.interest, rows);
    for (const { event, programs, isOptional } of TRACEPOINTS) {
      if (!isOptional) continue;
      for (const program of programs) this.attachOptional(probe, program, wanted.events[event] === 1);
    }
    probe.config.set(wanted.events, CONFIG.events);
    probe.config.set(wanted.syscalls, CONFIG.syscalls);
  }

  private needMore({ clock, merge }: Running): NextResult {
    const { reconciler } = this;
    if (reconciler === undefined) return NEXT_NEED_MORE;
    if (!merge.hasMore) reconciler.advance(clock.nowNs());
    this.counters.absorbedEvents = reconciler.counters.skipped;
    if (reconciler.isSettled) this.reconciler = undefined;
    return NEXT_NEED_MORE;
  }

  private beginRound({ merge, clock, probe }: Running): void {
    const now = clock.now();
    this.horizonAt = now - this.windowNs;
    merge.beginRound(this.horizonAt);
    if (now - this.lossAt < LOSS_REFRESH_NS) return;
    this.lossAt = now;
    if (now - this.missesAt >= MISSES_REFRESH_NS) {
      this.missesAt = now;
      this.misses = probe.recursionMisses() ?? this.misses;
    }
    this.countLoss(merge, probe.totals());
  }

  private refreshLoss({ merge, probe }: Running): void {
    this.misses = probe.recursionMisses() ?? this.misses;
    this.countLoss(merge, probe.totals());
  }

  private countLoss(merge: RingMerge, totals: KernelTotals): void {
    const malformed = merge.rings.reduce((sum, ring) => sum + ring.malformed, 0);
    this.counters.unknownEvents = malformed;
    this.counters.eventsLost = totals.dropped + totals.failed + this.misses + malformed;
  }

  private lostByCause(totals: KernelTotals): LossCount[] {
    return [
      { name: 'ring-full', count: totals.dropped },
      { name: 'not-built', count: totals.failed },
      { name: 'recursion', count: this.misses },
      { name: 'malformed', count: this.counters.unknownEvents },
    ];
  }

  private suppress(probe: Probe, pid: number): void {
    try {
      probe.suppress(pid);
    } catch (error) {
      this.note(`not all processes that run already could be suppressed: ${(error as Error).message}`);
    }
  }

  /** Attaches or detaches; once capabilities are gone, attaching may be refused, which is told and not fatal. */
  private attachOptional(probe: Probe, program: string, isWanted: boolean): void {
    if (!probe.tracepoints.includes(program)) return;
    if (!isWanted) {
      probe.detach(program);
      return;
    }
    try {
      probe.attach(program);
    } catch (error) {
      this.note(`events of ${program} are not captured: ${(error as Error).message}`);
    }
  }

  private note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }
}

function notPossible(message: string, cause?: unknown): StrataError {
  return new StrataError(
    {
      code: 'FAILED_PRECONDITION',
      message: `live capture is not possible: ${message}`,
      reason: 'CAPTURE_ERROR',
    },
    { cause },
  );
}

function wantedSyscalls(config: Buffer): number {
  let count = 0;
  for (let at = CONFIG.syscalls; at < CONFIG.bytes; at++) {
    if (config[at] !== 0) count++;
  }
  return count;
}

function lostByType(probe: Probe): LossCount[] {
  const losses: LossCount[] = [];
  for (let type = 0; type < PPM_EVENT_MAX; type++) {
    const count = probe.dropsOf(type);
    if (count > 0) losses.push({ name: EVENT_TABLE[type]?.name ?? `${type}`, count });
  }
  return losses.sort((a, b) => b.count - a.count);
}
