/**
 * Fills rows that the events left empty. A thread nobody introduced has a placeholder row; its tid is `request`ed here, and
 * `heal`, called between events, looks it up in /proc: a bounded number per second, a few at a time.
 *
 *     const healer = new ThreadHealer({ hostRoot, clock, environment, perSecondMax });
 *     parser option  onPlaceholder: (tid) => healer.request(tid)
 *     between events const changes = healer.heal(performance.now(), (tid) => state.threads.find(tid)?.isPlaceholder === false);
 *                    if (changes.length > 0) applyHealed(state, changes);        (server/parser/live-state.ts)
 */
import type { ThreadChange } from '../../event/snapshot.ts';
import type { EnvironmentChoice } from './environment.ts';
import { createClock, type EventClock } from './node-facts.ts';
import { ThreadReader } from './thread-reader.ts';

export interface HealerOptions {
  readonly hostRoot: string;
  /** Clock of the events; default as for a snapshot. */
  readonly clock?: EventClock | undefined;
  readonly environment?: EnvironmentChoice | undefined;
  readonly argsBytesMax?: number | undefined;
  readonly fdsPerProcessMax?: number | undefined;
  /** Look-ups per second; 0: none, every request is dropped. */
  readonly perSecondMax: number;
  /** Milliseconds, for the length of a turn; default the process's own. */
  readonly timerMs?: (() => number) | undefined;
}

export interface HealerCounters {
  /** Look-ups made. */
  tried: number;
  /** Threads found. */
  healed: number;
  /** Threads that were gone, or are the kernel's own. */
  failed: number;
  /** Requests refused because too many wait. */
  dropped: number;
}

const ARGS_BYTES_MAX = 4096;
const FDS_PER_PROCESS_MAX = 65_536;
const QUEUE_MAX = 8192;
/** Time taken from the events at a time. */
const TURN_MS = 3;
const MS_PER_S = 1000;

export class ThreadHealer {
  readonly counters: HealerCounters;
  private readonly reader: ThreadReader;
  private readonly perSecondMax: number;
  private readonly timerMs: () => number;
  /** In the order they came. */
  private readonly queue: Set<number>;
  private tokens: number;
  private filledMs: number;

  constructor(options: HealerOptions) {
    this.counters = { tried: 0, healed: 0, failed: 0, dropped: 0 };
    this.reader = new ThreadReader({
      hostRoot: options.hostRoot,
      clock: createClock(options.hostRoot, options.clock),
      environment: options.environment,
      argsBytesMax: options.argsBytesMax ?? ARGS_BYTES_MAX,
      fdsPerProcessMax: options.fdsPerProcessMax ?? FDS_PER_PROCESS_MAX,
      excludedPids: new Set(),
    });
    this.perSecondMax = options.perSecondMax;
    this.timerMs = options.timerMs ?? (() => performance.now());
    this.queue = new Set();
    this.tokens = options.perSecondMax;
    this.filledMs = Number.NEGATIVE_INFINITY;
  }

  /** How many wait. */
  get pending(): number {
    return this.queue.size;
  }

  /** Asks for a thread to be looked up. Asking twice is asking once. */
  request(tid: number): void {
    if (this.queue.has(tid)) return;
    if (tid <= 0 || this.perSecondMax <= 0 || this.queue.size >= QUEUE_MAX) this.counters.dropped++;
    else this.queue.add(tid);
  }

  /**
   * Looks up as many as budget and a few milliseconds allow. A thread of a process that is not known either comes after its
   * main thread. `isKnown`: whether there is a row that is no placeholder.
   */
  heal(nowMs: number, isKnown: (tid: number) => boolean): ThreadChange[] {
    if (this.queue.size === 0) return [];
    this.refill(nowMs);
    const startedMs = this.timerMs();
    const changes: ThreadChange[] = [];
    const done = new Set<number>();
    for (const tid of this.queue) {
      if (this.tokens < 1 || this.timerMs() - startedMs > TURN_MS) break;
      this.queue.delete(tid);
      if (done.has(tid)) continue;
      this.healOne(tid, isKnown, done, changes);
    }
    // Connections made meanwhile are in no table read before.
    this.reader.forgetSockets();
    return changes;
  }

  private refill(nowMs: number): void {
    const passedMs = Math.max(0, nowMs - this.filledMs);
    this.tokens = Math.min(this.perSecondMax, this.tokens + (passedMs * this.perSecondMax) / MS_PER_S);
    this.filledMs = nowMs;
  }

  private healOne(
    tid: number,
    isKnown: (tid: number) => boolean,
    done: Set<number>,
    changes: ThreadChange[],
  ): void {
    const pid = this.reader.findPid(tid);
    if (pid === undefined) {
      this.count(false);
      return;
    }
    // A known thread was asked for because of its fds, which are its main thread's.
    const needsMain = pid !== tid && (!isKnown(pid) || isKnown(tid)) && !done.has(pid);
    if (needsMain) this.look(pid, pid, done, changes);
    this.look(tid, pid, done, changes);
  }

  private look(tid: number, pid: number, done: Set<number>, changes: ThreadChange[]): void {
    done.add(tid);
    const read = this.reader.readThread(pid, tid);
    this.count(read !== undefined);
    if (read === undefined) return;
    const fds = tid === pid ? this.reader.readFds(pid)?.entries : undefined;
    changes.push({ thread: read.entry, fds });
  }

  private count(isFound: boolean): void {
    this.tokens--;
    this.counters.tried++;
    if (isFound) this.counters.healed++;
    else this.counters.failed++;
  }
}
