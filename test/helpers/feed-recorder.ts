/** Around one feed: a listener that writes down what it is told, a request with defaults, batches of one line per event. */
import { StreamEventsResponse } from '../../proto/gen/strata/v1/event_service.ts';
import type {
  FeedBatch,
  FeedCompletion,
  FeedEnd,
  FeedFiltersChanged,
  FeedListener,
  FeedLoss,
  FeedMark,
  FeedRequest,
} from '../../server/inspector/event-feed.ts';

export type FeedCall =
  | {
      readonly kind: 'batch';
      readonly first: number;
      readonly lines: readonly string[];
      readonly size: number;
    }
  | { readonly kind: 'completion'; readonly completion: FeedCompletion }
  | { readonly kind: 'loss'; readonly loss: FeedLoss }
  | { readonly kind: 'mark'; readonly mark: FeedMark }
  | { readonly kind: 'filters'; readonly change: FeedFiltersChanged }
  | { readonly kind: 'end'; readonly end: FeedEnd }
  | { readonly kind: 'fault'; readonly error: Error };

export class FeedRecorder implements FeedListener {
  readonly calls: FeedCall[] = [];
  /** Decoded batches, for what `calls` leaves out. */
  readonly batches: FeedBatch[] = [];
  /** Resolves with the last call there can be. */
  readonly finished: Promise<FeedEnd | Error>;
  /** Called after every call has been written down. */
  onCall: ((call: FeedCall) => void) | undefined;
  private readonly finish: (last: FeedEnd | Error) => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<FeedEnd | Error>();
    this.finished = promise;
    this.finish = resolve;
    this.onCall = undefined;
  }

  onBatch(batch: FeedBatch): void {
    this.batches.push(batch);
    const size = batch.bytes.byteLength;
    this.note({ kind: 'batch', first: batch.firstSequence, lines: linesOf(batch), size });
  }

  onCompletion(completion: FeedCompletion): void {
    this.note({ kind: 'completion', completion });
  }

  onLoss(loss: FeedLoss): void {
    this.note({ kind: 'loss', loss });
  }

  onMark(mark: FeedMark): void {
    this.note({ kind: 'mark', mark });
  }

  onFiltersChanged(change: FeedFiltersChanged): void {
    this.note({ kind: 'filters', change });
  }

  onEnd(end: FeedEnd): void {
    this.note({ kind: 'end', end });
    this.finish(end);
  }

  onFault(error: Error): void {
    this.note({ kind: 'fault', error });
    this.finish(error);
  }

  /** Lines of all batches so far. */
  get lines(): string[] {
    return this.calls.flatMap((call) => (call.kind === 'batch' ? call.lines : []));
  }

  /** The kinds of calls so far, in order. */
  get kinds(): string[] {
    return this.calls.map(({ kind }) => kind);
  }

  /** How the feed ended; throws when the inspector broke down. */
  async ended(): Promise<FeedEnd> {
    const last = await this.finished;
    if (last instanceof Error) throw last;
    return last;
  }

  private note(call: FeedCall): void {
    this.calls.push(call);
    this.onCall?.(call);
  }
}

/** Text lines of a batch, without their newlines; none of a typed one. */
export function linesOf(batch: FeedBatch): string[] {
  const { message } = StreamEventsResponse.decode(batch.bytes);
  if (message?.$case !== 'batch') throw new Error('not a batch');
  const { rendered, lineLengths, count, columns } = message.value;
  if (columns.length > 0) return [];
  if (lineLengths.length !== count) throw new Error(`${lineLengths.length} lines for ${count} events`);
  return rendered.toString('latin1').split('\n').slice(0, -1);
}

/** Lines that hold the event number, all events, and limits that nobody meets unless a test lowers them. */
export function feedRequest(request: Partial<FeedRequest> = {}): FeedRequest {
  return {
    source: 'syscall',
    filters: [{ id: 0, name: '', condition: '' }],
    projection: { kind: 'text', template: '*%evt.num' },
    delivery: 'immediate',
    batchEventsMax: 1000,
    batchBytesMax: 1_000_000,
    batchLatencyMs: 100,
    eventsMax: Number.POSITIVE_INFINITY,
    markIntervalMs: 60_000,
    creditBytes: 1_000_000_000,
    holdsSource: false,
    ...request,
  };
}
