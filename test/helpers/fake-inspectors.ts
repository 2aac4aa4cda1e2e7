/** Inspectors without a capture: tests push batches, marks and ends into the feeds themselves. */
import { CaptureEngine } from '../../proto/gen/strata/v1/node.ts';
import type { FieldSchema } from '../../proto/gen/strata/v1/value.ts';
import { StrataError } from '../../server/event/strata-error.ts';
import type {
  EventFeed,
  FeedFilter,
  FeedListener,
  FeedRequest,
  InspectorHandle,
  Inspectors,
  ReplayHandle,
} from '../../server/inspector/event-feed.ts';
import type { Queries, QueryKind } from '../../server/inspector/queries.ts';
import { fakeEnd } from './fake-stream.ts';

/** A subscription that a test drives. */
export interface OpenFeed {
  readonly request: FeedRequest;
  readonly listener: FeedListener;
  ackedBytes: number;
  isCancelled: boolean;
}

type Answers = { readonly [K in QueryKind]?: (request: Queries[K]['request']) => Queries[K]['response'] };

export class FakeInspector implements ReplayHandle {
  readonly feeds: OpenFeed[] = [];
  readonly schema: readonly FieldSchema[];
  answers: Answers = {};
  /** Thrown by `subscribe` when set. */
  refusal: Error | undefined;
  isClosed = false;
  /** Called when a subscription has been accepted and its `Started` is on the way. */
  onSubscribed: ((feed: OpenFeed) => void) | undefined;

  constructor(schema: readonly FieldSchema[]) {
    this.schema = schema;
  }

  async subscribe(request: FeedRequest, listener: FeedListener): Promise<EventFeed> {
    if (this.refusal !== undefined) throw this.refusal;
    const feed: OpenFeed = { request, listener, ackedBytes: 0, isCancelled: false };
    this.feeds.push(feed);
    setImmediate(() => this.onSubscribed?.(feed));
    return {
      started: {
        schema: this.schema,
        node: {
          nodeName: 'node-1',
          hostname: 'host-1',
          bootTimestampNs: 5n,
          cpuCount: 2,
          memoryBytes: 1024n,
        },
        captureEngine: CaptureEngine.SAVEFILE,
        captureName: 'fake.scap',
        captureBytes: 1000,
        firstEventNumber: 1,
      },
      ack: (bytes) => {
        feed.ackedBytes += bytes;
      },
      setFilters: async (filters: readonly FeedFilter[]) => {
        if (filters.some((filter) => filter.condition === 'bad')) {
          throw new StrataError({ code: 'INVALID_ARGUMENT', message: 'bad filter' });
        }
        listener.onFiltersChanged({ filters, nextSequence: 0 });
      },
      stop: () => listener.onEnd({ ...fakeEnd(0), reason: 'shutdown' }),
      cancel: () => {
        feed.isCancelled = true;
      },
    };
  }

  async record(): Promise<never> {
    throw new Error('no recordings');
  }

  async query<K extends QueryKind>(kind: K, request: Queries[K]['request']): Promise<Queries[K]['response']> {
    const answer = this.answers[kind] as
      | ((request: Queries[K]['request']) => Queries[K]['response'])
      | undefined;
    if (answer === undefined) throw new Error(`no answer for ${kind}`);
    return answer(request);
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

export class FakeInspectors implements Inspectors {
  readonly isCaptureFile: boolean;
  readonly own: FakeInspector;
  readonly replays: FakeInspector[] = [];
  readonly replaysMax: number;
  onReplay: ((replay: FakeInspector) => void) | undefined;
  private readonly schema: readonly FieldSchema[];

  constructor(schema: readonly FieldSchema[], isCaptureFile = true, replaysMax = 10) {
    this.schema = schema;
    this.isCaptureFile = isCaptureFile;
    this.own = new FakeInspector(schema);
    this.replaysMax = replaysMax;
  }

  get node(): InspectorHandle {
    return this.own;
  }

  async openReplay(): Promise<ReplayHandle> {
    if (this.replays.filter((replay) => !replay.isClosed).length >= this.replaysMax) {
      throw new StrataError({ code: 'RESOURCE_EXHAUSTED', message: 'too many replays' });
    }
    const replay = new FakeInspector(this.schema);
    this.replays.push(replay);
    this.onReplay?.(replay);
    return replay;
  }
}
