/** All inspectors of a server that serves a capture file: the node's own, and a private one per replay. */
import { StrataError } from '../event/strata-error.ts';
import type { InspectorHandle, Inspectors, ReplayHandle } from './event-feed.ts';
import type { WorkerConfig } from './protocol.ts';
import { WorkerInspector } from './worker-inspector.ts';

export interface PoolOptions {
  readonly worker: WorkerConfig;
  readonly replaysMax: number;
}

export interface PoolCounters {
  replaysStarted: number;
  replaysRefused: number;
}

export class InspectorPool implements Inspectors {
  readonly isCaptureFile: boolean;
  readonly counters: PoolCounters;
  private readonly options: PoolOptions;
  private readonly replays: Set<WorkerInspector>;
  private own: WorkerInspector | undefined;
  private replaysOpening: number;
  /** The node's pass stands at the first event and nobody has taken it yet. */
  private isOwnPassFree: boolean;

  constructor(options: PoolOptions) {
    this.options = options;
    this.isCaptureFile = true;
    this.counters = { replaysStarted: 0, replaysRefused: 0 };
    this.replays = new Set();
    this.own = undefined;
    this.replaysOpening = 0;
    // With nobody to wait for but one subscriber, its replay can be the node's own pass: one pass less.
    this.isOwnPassFree = options.worker.waitSubscribers === 1;
  }

  get node(): InspectorHandle {
    if (this.own === undefined) {
      throw new StrataError({ code: 'UNAVAILABLE', message: 'the inspector has not started' });
    }
    return this.own;
  }

  /** Private replays that run now. */
  get replayCount(): number {
    return this.replays.size;
  }

  /** Starts the node's inspector. Rejects with a StrataError when the capture cannot be opened. */
  async start(onNodeGone: (error: Error) => void): Promise<void> {
    let isStopping = false;
    this.own = await WorkerInspector.start(this.options.worker, () => {
      if (!isStopping) onNodeGone(new Error('the inspector thread has ended'));
    });
    const { own } = this;
    this.stopOwn = async () => {
      isStopping = true;
      await own.stop();
      await own.close();
    };
  }

  async openReplay(): Promise<ReplayHandle> {
    const { own } = this;
    if (own !== undefined && this.isOwnPassFree) {
      this.isOwnPassFree = false;
      return {
        subscribe: (request, listener) => own.subscribe(request, listener),
        query: (kind, request) => own.query(kind, request),
        close: async () => undefined,
      };
    }
    if (this.replays.size + this.replaysOpening >= this.options.replaysMax) {
      this.counters.replaysRefused++;
      throw new StrataError({
        code: 'RESOURCE_EXHAUSTED',
        message: `${this.options.replaysMax} replays of the capture are running already (option replays-max)`,
        reason: 'REPLAYS_MAX',
      });
    }
    this.replaysOpening++;
    try {
      const replay = await WorkerInspector.start(
        { ...this.options.worker, speed: 0, waitSubscribers: 1 },
        () => this.replays.delete(replay),
      );
      this.replays.add(replay);
      this.counters.replaysStarted++;
      return replay;
    } finally {
      this.replaysOpening--;
    }
  }

  /** Ends all feeds in good order, then all threads. */
  async stop(): Promise<void> {
    await Promise.all(
      [...this.replays].map(async (replay) => {
        await replay.stop();
        await replay.close();
      }),
    );
    await this.stopOwn();
  }

  private stopOwn: () => Promise<void> = async () => undefined;
}
