/** An inspector on a thread of its own, as the control plane sees it. */
import { Worker } from 'node:worker_threads';
import { keepLibcLoaded } from '../capture/ebpf/libc.ts';
import type { ContainerRequest, ContainerUpdate } from '../container/container-update.ts';
import { StrataError } from '../event/strata-error.ts';
import type { PodUpdate } from '../kubernetes/pod-update.ts';
import type { EventFeed, FeedListener, FeedRequest, FeedStarted, ReplayHandle } from './event-feed.ts';
import type { CrossedError, FromWorker, OpenedSource, ToWorker, WorkerConfig } from './protocol.ts';
import type { Queries, QueryKind } from './queries.ts';
import type {
  RecordingFeed,
  RecordingListener,
  RecordingRequest,
  RecordingStarted,
} from './recording-feed.ts';

/** Takes news of containers to an inspector. */
export interface ContainerSink {
  update(updates: readonly ContainerUpdate[]): void;
  /** All runtimes have told what runs, or have taken too long. */
  listed(): void;
}

/** Takes news of pods to an inspector. */
export type PodSink = (updates: readonly PodUpdate[]) => void;

interface Call {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export interface WorkerInspectorOptions {
  /** Called once, when the thread is gone for whatever reason. */
  readonly onClosed?: (() => void) | undefined;
  /** Called with what the inspector asks about containers, from its start on. */
  readonly onContainerRequest?: ((request: ContainerRequest) => void) | undefined;
}

export class WorkerInspector implements ReplayHandle {
  private readonly worker: Worker;
  private readonly calls: Map<number, Call>;
  private readonly listeners: Map<number, FeedListener>;
  private readonly recordings: Map<number, RecordingListener>;
  private readonly onClosed: () => void;
  private readonly onContainerRequest: ((request: ContainerRequest) => void) | undefined;
  private nextId: number;
  /** Set once the thread is gone: no call can be answered any more. */
  private gone: Error | undefined;

  private opened: OpenedSource;

  private constructor(worker: Worker, { onClosed, onContainerRequest }: WorkerInspectorOptions) {
    this.opened = { engine: 'savefile', fallbackReason: '' };
    this.worker = worker;
    this.calls = new Map();
    this.listeners = new Map();
    this.recordings = new Map();
    this.onClosed = onClosed ?? (() => undefined);
    this.onContainerRequest = onContainerRequest;
    this.nextId = 1;
    this.gone = undefined;
  }

  /**
   * Starts the thread and waits until phase one is done. Rejects with a StrataError when the source cannot be opened.
   * `onStarted` is called once with the ways for news of containers and pods, which may be told before the promise resolves.
   */
  static async start(
    config: WorkerConfig,
    options: WorkerInspectorOptions = {},
    onStarted: (containers: ContainerSink, pods: PodSink) => void = () => undefined,
  ): Promise<WorkerInspector> {
    if (config.engine !== 'savefile') keepLibcLoaded();
    const worker = new Worker(new URL('./worker-main.ts', import.meta.url), {
      workerData: config,
      // Live engines open files that Node does not know of.
      trackUnmanagedFds: false,
    });
    const inspector = new WorkerInspector(worker, options);
    const ready = inspector.ready();
    const containers: ContainerSink = {
      update: (updates) => inspector.send({ type: 'container-updates', updates }),
      listed: () => inspector.send({ type: 'containers-listed' }),
    };
    onStarted(containers, (updates) => inspector.send({ type: 'pod-updates', updates }));
    await ready;
    return inspector;
  }

  /** What it reads from. */
  get source(): OpenedSource {
    return this.opened;
  }

  async subscribe(request: FeedRequest, listener: FeedListener): Promise<EventFeed> {
    const feed = this.nextId++;
    this.listeners.set(feed, listener);
    let started: FeedStarted;
    try {
      started = (await this.call((call) => ({ type: 'subscribe', call, feed, request }))) as FeedStarted;
    } catch (error) {
      this.listeners.delete(feed);
      throw error;
    }
    return {
      started,
      ack: (bytes) => this.send({ type: 'ack', feed, bytes }),
      setFilters: async (filters) => {
        await this.call((call) => ({ type: 'filters', call, feed, filters }));
      },
      stop: () => this.send({ type: 'stop-feed', feed }),
      cancel: () => {
        this.listeners.delete(feed);
        this.send({ type: 'cancel-feed', feed });
      },
    };
  }

  async record(request: RecordingRequest, listener: RecordingListener): Promise<RecordingFeed> {
    const recording = this.nextId++;
    this.recordings.set(recording, listener);
    let started: RecordingStarted;
    try {
      started = (await this.call((call) => ({
        type: 'record',
        call,
        recording,
        request,
      }))) as RecordingStarted;
    } catch (error) {
      this.recordings.delete(recording);
      throw error;
    }
    return {
      started,
      ack: (bytes) => this.send({ type: 'recording-ack', recording, bytes }),
      stop: () => this.send({ type: 'stop-recording', recording }),
      cancel: () => {
        this.recordings.delete(recording);
        this.send({ type: 'cancel-recording', recording });
      },
    };
  }

  async query<K extends QueryKind>(kind: K, request: Queries[K]['request']): Promise<Queries[K]['response']> {
    return (await this.call((call) => ({ type: 'query', call, kind, request }))) as Queries[K]['response'];
  }

  /** Asks the thread to end in good order: feeds get their `onEnd`. */
  async stop(): Promise<void> {
    if (this.gone !== undefined) return;
    await this.call((call) => ({ type: 'stop', call })).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.listeners.clear();
    this.recordings.clear();
    if (this.gone === undefined) await this.worker.terminate();
  }

  private send(message: ToWorker): void {
    if (this.gone === undefined) this.worker.postMessage(message);
  }

  private call(make: (call: number) => ToWorker): Promise<unknown> {
    if (this.gone !== undefined) return Promise.reject(this.gone);
    const id = this.nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.calls.set(id, { resolve, reject });
    this.worker.postMessage(make(id));
    return promise;
  }

  private ready(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.worker.on('message', (message: FromWorker) => {
      if (message.type === 'ready') {
        this.opened = message.source;
        resolve();
      } else if (message.type === 'failed') reject(fromCrossed(message.error));
      else this.onMessage(message);
    });
    this.worker.on('error', (error) => {
      const fault = error instanceof Error ? error : new Error(String(error));
      this.onGone(fault);
      reject(fault);
    });
    this.worker.on('exit', () => {
      const error = new StrataError({ code: 'UNAVAILABLE', message: 'the inspector has ended' });
      this.onGone(error);
      reject(error);
      this.onClosed();
    });
    return promise;
  }

  private onMessage(message: FromWorker): void {
    switch (message.type) {
      case 'answer':
        this.take(message.call)?.resolve(message.value);
        return;
      case 'refused':
        this.take(message.call)?.reject(fromCrossed(message.error));
        return;
      case 'batch':
        this.listeners.get(message.feed)?.onBatch(message.batch);
        return;
      case 'completion':
        this.listeners.get(message.feed)?.onCompletion(message.completion);
        return;
      case 'loss':
        this.listeners.get(message.feed)?.onLoss(message.loss);
        return;
      case 'mark':
        this.listeners.get(message.feed)?.onMark(message.mark);
        return;
      case 'filters-changed':
        this.listeners.get(message.feed)?.onFiltersChanged(message.change);
        return;
      case 'end': {
        const listener = this.listeners.get(message.feed);
        this.listeners.delete(message.feed);
        listener?.onEnd(message.end);
        return;
      }
      case 'recording-chunk':
        this.recordings.get(message.recording)?.onChunk(message.chunk);
        return;
      case 'recording-end': {
        const listener = this.recordings.get(message.recording);
        this.recordings.delete(message.recording);
        listener?.onEnd(message.end);
        return;
      }
      case 'container-request':
        this.onContainerRequest?.(message.request);
        return;
      case 'ready':
      case 'failed':
        return;
    }
  }

  private take(id: number): Call | undefined {
    const call = this.calls.get(id);
    this.calls.delete(id);
    return call;
  }

  private onGone(error: Error): void {
    if (this.gone !== undefined) return;
    this.gone = error;
    for (const call of this.calls.values()) call.reject(error);
    this.calls.clear();
    for (const listener of this.listeners.values()) listener.onFault(error);
    this.listeners.clear();
    for (const listener of this.recordings.values()) listener.onFault(error);
    this.recordings.clear();
  }
}

function fromCrossed(error: CrossedError): Error {
  if (error.kind === 'fault') return new StrataError(error.fault);
  const defect = new Error(error.message);
  if (error.stack !== undefined) defect.stack = error.stack;
  return defect;
}
