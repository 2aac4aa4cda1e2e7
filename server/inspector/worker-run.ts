/** An inspector thread: builds engine, state and host from the start-up data, then serves the port. */
import { parentPort, workerData } from 'node:worker_threads';
import { CaptureError } from '../capture/capture-engine.ts';
import { notFound, StrataError } from '../event/strata-error.ts';
import type { EventFeed, FeedListener } from './event-feed.ts';
import type { InspectorHost } from './inspector-host.ts';
import { type OpenedInspector, openInspector } from './open-inspector.ts';
import type { CrossedError, FromWorker, ToWorker, WorkerConfig } from './protocol.ts';
import type { Queries, QueryKind } from './queries.ts';
import type { RecordingFeed, RecordingListener } from './recording-feed.ts';

function mustPort(): NonNullable<typeof parentPort> {
  if (parentPort === null) throw new Error('worker-run runs as a worker thread only');
  return parentPort;
}

const port = mustPort();
const feeds = new Map<number, EventFeed>();
const recordings = new Map<number, RecordingFeed>();

function send(message: FromWorker, transfer?: ArrayBuffer[]): void {
  port.postMessage(message, transfer);
}

function toCrossed(error: unknown): CrossedError {
  if (error instanceof StrataError) return { kind: 'fault', fault: error.fault };
  if (error instanceof CaptureError) {
    return {
      kind: 'fault',
      fault: { code: 'FAILED_PRECONDITION', message: error.message, reason: 'CAPTURE_ERROR' },
    };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: 'defect', message, stack };
}

function listenerOf(feed: number): FeedListener {
  return {
    onBatch: (batch) => send({ type: 'batch', feed, batch }, [batch.bytes.buffer as ArrayBuffer]),
    onCompletion: (completion) =>
      send({ type: 'completion', feed, completion }, [completion.bytes.buffer as ArrayBuffer]),
    onLoss: (loss) => send({ type: 'loss', feed, loss }),
    onMark: (mark) => send({ type: 'mark', feed, mark }),
    onFiltersChanged: (change) => send({ type: 'filters-changed', feed, change }),
    onEnd: (end) => {
      feeds.delete(feed);
      send({ type: 'end', feed, end });
    },
    onFault: () => undefined,
  };
}

function recordingListenerOf(recording: number): RecordingListener {
  return {
    onChunk: (chunk) =>
      send({ type: 'recording-chunk', recording, chunk }, [chunk.bytes.buffer as ArrayBuffer]),
    onEnd: (end) => {
      recordings.delete(recording);
      send({ type: 'recording-end', recording, end });
    },
    onFault: () => undefined,
  };
}

/** Answers a call: with what `work` resolves to, or with its error. */
function answer(call: number, work: () => Promise<unknown>): void {
  // A rejected promise and a throw are the same refusal.
  Promise.try(work).then(
    (value) => send({ type: 'answer', call, value }),
    (error: unknown) => send({ type: 'refused', call, error: toCrossed(error) }),
  );
}

function onMessage(host: InspectorHost, message: ToWorker): void {
  switch (message.type) {
    case 'subscribe':
      answer(message.call, async () => {
        const feed = await host.subscribe(message.request, listenerOf(message.feed));
        feeds.set(message.feed, feed);
        return feed.started;
      });
      return;
    case 'ack':
      feeds.get(message.feed)?.ack(message.bytes);
      return;
    case 'filters':
      answer(message.call, async () => {
        const feed = feeds.get(message.feed);
        if (feed === undefined) throw notFound('the subscription has ended');
        await feed.setFilters(message.filters);
      });
      return;
    case 'stop-feed':
      feeds.get(message.feed)?.stop();
      return;
    case 'cancel-feed':
      feeds.get(message.feed)?.cancel();
      feeds.delete(message.feed);
      return;
    case 'record':
      answer(message.call, async () => {
        const feed = await host.record(message.request, recordingListenerOf(message.recording));
        recordings.set(message.recording, feed);
        return feed.started;
      });
      return;
    case 'recording-ack':
      recordings.get(message.recording)?.ack(message.bytes);
      return;
    case 'stop-recording':
      recordings.get(message.recording)?.stop();
      return;
    case 'cancel-recording':
      recordings.get(message.recording)?.cancel();
      recordings.delete(message.recording);
      return;
    case 'container-updates':
      host.onContainerUpdates(message.updates);
      return;
    case 'containers-listed':
      host.onContainersListed();
      return;
    case 'pod-updates':
      host.onPodUpdates(message.updates);
      return;
    case 'query':
      answer(message.call, () => host.query(message.kind, message.request as Queries[QueryKind]['request']));
      return;
    case 'stop':
      answer(message.call, async () => {
        await host.stop();
        // Lets the answer out first.
        setImmediate(() => port.close());
      });
      return;
  }
}

async function main(config: WorkerConfig): Promise<void> {
  let opened: OpenedInspector;
  try {
    opened = await openInspector(config, (request) => send({ type: 'container-request', request }));
  } catch (error) {
    send({ type: 'failed', error: toCrossed(error) });
    port.close();
    return;
  }
  const { host, source } = opened;
  port.on('message', (message: ToWorker) => onMessage(host, message));
  send({ type: 'ready', source });
}

await main(workerData as WorkerConfig);
