/** All inspectors of a server: the node's own, and on a capture file a private one per replay. */
import type { ContainerRequest } from '../container/container-update.ts';
import { StrataError } from '../event/strata-error.ts';
import type {
  EventFeed,
  FeedListener,
  FeedRequest,
  InspectorHandle,
  Inspectors,
  ReplayHandle,
} from './event-feed.ts';
import type { OpenedSource, WorkerConfig } from './protocol.ts';
import type { RecordingFeed, RecordingListener, RecordingRequest } from './recording-feed.ts';
import { type ContainerSink, type PodSink, WorkerInspector } from './worker-inspector.ts';

/** Those who follow the API server. */
export interface PodPeer {
  onInspector(sink: PodSink): void;
}

/** Those who know container runtimes, as the node's own inspector meets them. */
export interface ContainerPeer {
  /** The inspector is on its way: news of containers can be told from now on. */
  onInspector(sink: ContainerSink): void;
  onRequest(request: ContainerRequest): void;
}

export interface PoolOptions {
  readonly worker: WorkerConfig;
  readonly replaysMax: number;
  /** For live sources. */
  readonly containers?: ContainerPeer | undefined;
  readonly pods?: PodPeer | undefined;
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
  private ownHandle: InspectorHandle | undefined;
  private replaysOpening: number;
  /** `free`: the node's pass stands at the first event and nobody wants it yet. `lent`: to a replay about to subscribe. */
  private ownPass: 'free' | 'lent' | 'taken';

  constructor(options: PoolOptions) {
    this.options = options;
    this.isCaptureFile = options.worker.engine === 'savefile';
    this.counters = { replaysStarted: 0, replaysRefused: 0 };
    this.replays = new Set();
    this.own = undefined;
    this.ownHandle = undefined;
    this.replaysOpening = 0;
    // With nobody to wait for but one subscriber, its replay can be the node's own pass: one pass less.
    this.ownPass = this.isCaptureFile && options.worker.waitSubscribers === 1 ? 'free' : 'taken';
  }

  get node(): InspectorHandle {
    if (this.ownHandle === undefined) {
      throw new StrataError({ code: 'UNAVAILABLE', message: 'the inspector has not started' });
    }
    return this.ownHandle;
  }

  /** What the node's inspector reads from; undefined before it has started. */
  get source(): OpenedSource | undefined {
    return this.own?.source;
  }

  /** Private replays that run now. */
  get replayCount(): number {
    return this.replays.size;
  }

  /** Starts the node's inspector. Rejects with a StrataError when the capture cannot be opened. */
  async start(onNodeGone: (error: Error) => void): Promise<void> {
    // Until it runs, its end is told by the rejection alone.
    let isExpectedToRun = false;
    const { worker, containers, pods } = this.options;
    const own = await WorkerInspector.start(
      worker,
      {
        onClosed: () => {
          if (isExpectedToRun) onNodeGone(new Error('the inspector thread has ended'));
        },
        onContainerRequest: (request) => containers?.onRequest(request),
      },
      (containerSink, podSink) => {
        containers?.onInspector(containerSink);
        pods?.onInspector(podSink);
      },
    );
    isExpectedToRun = true;
    this.own = own;
    this.ownHandle = {
      subscribe: (request, listener) => this.subscribeToOwn(own, request, listener),
      record: (request, listener) => this.recordOnOwn(own, request, listener),
      query: (kind, request) => own.query(kind, request),
    };
    this.stopOwn = async () => {
      isExpectedToRun = false;
      await own.stop();
      await own.close();
    };
  }

  async openReplay(): Promise<ReplayHandle> {
    const { own } = this;
    if (!this.isCaptureFile) {
      throw new StrataError({
        code: 'FAILED_PRECONDITION',
        message: 'a live source has no beginning to go back to',
        reason: 'NOT_A_CAPTURE_FILE',
      });
    }
    if (own !== undefined && this.ownPass === 'free') return this.lendOwnPass(own);
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
      let replay: WorkerInspector | undefined;
      // Also called when it could not start: then it was never among the replays.
      const onClosed = () => {
        if (replay !== undefined) this.replays.delete(replay);
      };
      replay = await WorkerInspector.start(
        { ...this.options.worker, speed: 0, waitSubscribers: 1 },
        { onClosed },
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

  /** The node's own pass as a replay. It is free again when nothing came of it. */
  private lendOwnPass(own: WorkerInspector): ReplayHandle {
    this.ownPass = 'lent';
    return {
      subscribe: (request, listener) => this.subscribeToOwn(own, request, listener),
      record: (request, listener) => this.recordOnOwn(own, request, listener),
      query: (kind, request) => own.query(kind, request),
      close: async () => {
        if (this.ownPass === 'lent') this.ownPass = 'free';
      },
    };
  }

  private async subscribeToOwn(
    own: WorkerInspector,
    request: FeedRequest,
    listener: FeedListener,
  ): Promise<EventFeed> {
    const feed = await own.subscribe(request, listener);
    this.ownPass = 'taken';
    return feed;
  }

  private async recordOnOwn(
    own: WorkerInspector,
    request: RecordingRequest,
    listener: RecordingListener,
  ): Promise<RecordingFeed> {
    const feed = await own.record(request, listener);
    this.ownPass = 'taken';
    return feed;
  }

  private stopOwn: () => Promise<void> = async () => undefined;
}
