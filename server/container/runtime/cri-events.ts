/**
 * Push events for CRI. containerd's own events are asked for first where it is containerd: they come before the first process runs,
 * for sandboxes too, and its `GetContainerEvents` hands each event to only one of its clients in some versions, which would
 * take them from kubelet.
 */
import { type JsonObject, textOf } from '../container-json.ts';
import { ContainerdCalls, ifTold } from './containerd-calls.ts';
import { watchContainerd } from './containerd-events.ts';
import { CreatedFacts } from './created-facts.ts';
import type { CriCalls, CriRuntime } from './cri-calls.ts';
import { type CriRecord, criRecordOf, withImageNames } from './cri-records.ts';
import { criContainerRow, criSandboxRow } from './cri-rows.ts';
import { criSandboxOf } from './cri-sandbox.ts';
import type { GrpcConnection } from './grpc-connection.ts';
import { objectAt, objectsOf } from './grpc-values.ts';
import { NoEventsError, watchStream } from './grpc-watch.ts';
import type { RuntimeContainer, RuntimeEvents } from './runtime-client.ts';

/** Namespace of containerd that CRI keeps its containers in. */
const NAMESPACE = 'k8s.io';

export interface CriEventsParts {
  readonly connection: GrpcConnection;
  readonly calls: CriCalls;
  readonly callTimeoutMs: number;
  readonly probeIntervalMs: number;
  readonly type: string;
  /** A container by CRI's own answers; undefined when it has no such container. */
  inspect(id: string): Promise<RuntimeContainer | undefined>;
}

type EventSource = (events: RuntimeEvents, onReady: () => void, signal: AbortSignal) => Promise<void>;

export class CriEvents {
  private readonly parts: CriEventsParts;
  private readonly records: ContainerdCalls;

  constructor(parts: CriEventsParts) {
    this.parts = parts;
    this.records = new ContainerdCalls(parts.connection, parts.callTimeoutMs);
  }

  /** Rejects with RuntimeError `refused` when the runtime offers no events of any kind. */
  async watch(
    runtime: CriRuntime,
    events: RuntimeEvents,
    onReady: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const ofContainerd: EventSource = (...args) => this.watchRecords(...args);
    const ofCri: EventSource = (...args) => this.watchCri(runtime, ...args);
    const sources = runtime.name === 'containerd' ? [ofContainerd, ofCri] : [ofCri, ofContainerd];
    for (const source of sources) {
      try {
        await source(events, onReady, signal);
        return;
      } catch (error) {
        if (!(error instanceof NoEventsError)) throw error;
      }
    }
    throw new NoEventsError(
      `${this.parts.connection.socketPath}: ${runtime.name} offers no container events`,
    );
  }

  private watchRecords(events: RuntimeEvents, onReady: () => void, signal: AbortSignal): Promise<void> {
    const facts = new CreatedFacts(events, (id) => this.createdFacts(id, signal));
    const { connection, calls, probeIntervalMs } = this.parts;
    const probe = (probing: AbortSignal) => calls.probe(probing);
    return watchContainerd(
      connection,
      { namespace: NAMESPACE, probeIntervalMs, probe, onReady },
      {
        onCreated: (namespace, id) => {
          if (namespace === NAMESPACE) facts.created(id);
        },
        // The network of a sandbox is made after its record, and before its process.
        onUpdated: (namespace, id) => {
          if (namespace === NAMESPACE) facts.updated(id);
        },
        onStarted: (namespace, id) => {
          if (namespace === NAMESPACE) facts.started(id);
        },
        onEnded: (namespace, id) => {
          if (namespace === NAMESPACE) facts.ended(id);
        },
      },
      signal,
    );
  }

  /** Everything of a sandbox is in containerd's record; a container CRI may tell already. */
  private async createdFacts(id: string, signal: AbortSignal): Promise<RuntimeContainer | undefined> {
    const [kept, told] = await Promise.all([
      this.records.container(NAMESPACE, id, signal),
      ifTold(this.parts.inspect(id), signal),
    ]);
    if (told?.row.isComplete) return told;
    if (kept === undefined) return told;
    const record = criRecordOf(kept);
    const { type } = this.parts;
    if (record.isSandbox) {
      const sandbox = criSandboxOf(record.status, record.info);
      const row = criSandboxRow(sandbox, record.status, record.info, type);
      return { row: { ...row, isComplete: record.isWhole }, pid: 0, isRunning: false };
    }
    return this.recordFacts(record, signal);
  }

  /** A container that CRI does not tell yet. */
  private async recordFacts(record: CriRecord, signal: AbortSignal): Promise<RuntimeContainer> {
    const { imageReference, sandboxId, info } = record;
    const [image, pod] = await Promise.all([
      imageReference === '' ? undefined : ifTold(this.parts.calls.image(imageReference, signal), signal),
      sandboxId === '' ? undefined : ifTold(this.records.container(NAMESPACE, sandboxId, signal), signal),
    ]);
    const podRecord = pod && criRecordOf(pod);
    const sandbox = podRecord && criSandboxOf(podRecord.status, podRecord.info);
    const status = image === undefined ? record.status : withImageNames(record.status, image);
    const row = criContainerRow(status, info, sandbox, this.parts.type);
    const isComplete = record.isWhole && image !== undefined && podRecord?.isWhole === true;
    return { row: { ...row, isComplete }, pid: 0, isRunning: false };
  }

  private watchCri(
    runtime: CriRuntime,
    events: RuntimeEvents,
    onReady: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { connection, calls, probeIntervalMs } = this.parts;
    const target = {
      method: runtime.methods.GetContainerEvents,
      request: {},
      probeIntervalMs,
      probe: (probing: AbortSignal) => calls.probe(probing),
      onMessage: (message: JsonObject) => this.tell(message, events),
      onReady,
    };
    return watchStream(connection, target, signal);
  }

  private tell(message: JsonObject, events: RuntimeEvents): void {
    const id = textOf(message['container_id']);
    if (id === '') return;
    switch (message['container_event_type']) {
      case 'CONTAINER_CREATED_EVENT':
        events.onCreated(id, this.factsIn(message, id));
        return;
      case 'CONTAINER_STARTED_EVENT':
        events.onStarted(id);
        return;
      case 'CONTAINER_STOPPED_EVENT':
      case 'CONTAINER_DELETED_EVENT':
        events.onEnded(id);
        return;
      default:
    }
  }

  /** The event carries the pod and its containers, without what only verbose answers have. */
  private factsIn(message: JsonObject, id: string): RuntimeContainer | undefined {
    const pod = objectAt(message, 'pod_sandbox_status');
    const sandbox = pod && criSandboxOf(pod, undefined);
    if (pod !== undefined && sandbox?.id === id) {
      return { row: criSandboxRow(sandbox, pod, undefined, this.parts.type), pid: 0, isRunning: false };
    }
    const status = objectsOf(message['containers_statuses']).find((one) => textOf(one['id']) === id);
    if (status === undefined) return undefined;
    return { row: criContainerRow(status, undefined, sandbox, this.parts.type), pid: 0, isRunning: false };
  }
}
