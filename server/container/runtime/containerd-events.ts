/** containerd's events of all namespaces, reduced to those that tell of containers and their first processes. */
import { type JsonObject, objectOf, textOf } from '../container-json.ts';
import { isNamespaceName } from './containerd-calls.ts';
import type { GrpcConnection } from './grpc-connection.ts';
import { grpcDecoder, grpcMethod } from './grpc-methods.ts';
import { watchStream } from './grpc-watch.ts';
import { RuntimeError } from './runtime-client.ts';

export interface ContainerdEventSink {
  /** It has a record; its first process comes later. */
  onCreated(namespace: string, id: string): void;
  /** Its record has changed. */
  onUpdated(namespace: string, id: string): void;
  onStarted(namespace: string, id: string): void;
  /** Its first process has ended, or the record is gone. */
  onEnded(namespace: string, id: string): void;
}

export interface ContainerdWatch {
  /** Only of this namespace; all when undefined. */
  readonly namespace: string | undefined;
  readonly probeIntervalMs: number;
  probe(signal: AbortSignal): Promise<unknown>;
  onReady(): void;
}

const SUBSCRIBE = grpcMethod('containerd-events.proto', 'containerd.services.events.v1.Events', 'Subscribe');

const MESSAGES = 'containerd-event-messages.proto';
const decodeCreate = grpcDecoder(MESSAGES, 'containerd.events.ContainerCreate');
const decodeUpdate = grpcDecoder(MESSAGES, 'containerd.events.ContainerUpdate');
const decodeDelete = grpcDecoder(MESSAGES, 'containerd.events.ContainerDelete');
const decodeStart = grpcDecoder(MESSAGES, 'containerd.events.TaskStart');
const decodeExit = grpcDecoder(MESSAGES, 'containerd.events.TaskExit');

type Tell = (sink: ContainerdEventSink, namespace: string, event: Buffer) => void;

const TOPICS: ReadonlyMap<string, Tell> = new Map<string, Tell>([
  [
    '/containers/create',
    (sink, namespace, event) => tell(decodeCreate(event)['id'], (id) => sink.onCreated(namespace, id)),
  ],
  [
    '/containers/update',
    (sink, namespace, event) => tell(decodeUpdate(event)['id'], (id) => sink.onUpdated(namespace, id)),
  ],
  [
    '/containers/delete',
    (sink, namespace, event) => tell(decodeDelete(event)['id'], (id) => sink.onEnded(namespace, id)),
  ],
  [
    '/tasks/start',
    (sink, namespace, event) =>
      tell(decodeStart(event)['container_id'], (id) => sink.onStarted(namespace, id)),
  ],
  ['/tasks/exit', tellExit],
]);

/** Resolves when `signal` aborts; rejects with NoEventsError when nobody offers these events, with RuntimeError when they break. */
export function watchContainerd(
  connection: GrpcConnection,
  watch: ContainerdWatch,
  sink: ContainerdEventSink,
  signal: AbortSignal,
): Promise<void> {
  const scope = watch.namespace === undefined ? '' : `namespace=="${watch.namespace}",`;
  const request = { filters: [...TOPICS.keys()].map((topic) => `${scope}topic=="${topic}"`) };
  const onMessage = (envelope: JsonObject) => tellEnvelope(envelope, sink, connection.socketPath);
  return watchStream(connection, { ...watch, method: SUBSCRIBE, request, onMessage }, signal);
}

function tellEnvelope(envelope: JsonObject, sink: ContainerdEventSink, socketPath: string): void {
  const value = objectOf(envelope['event'])?.['value'];
  const namespace = textOf(envelope['namespace']);
  if (!(value instanceof Uint8Array) || !isNamespaceName(namespace)) return;
  try {
    TOPICS.get(textOf(envelope['topic']))?.(sink, namespace, Buffer.from(value));
  } catch (error) {
    throw new RuntimeError('protocol', `${socketPath}: an event that cannot be read`, { cause: error });
  }
}

/** Processes run in a container later exit with an id of their own. */
function tellExit(sink: ContainerdEventSink, namespace: string, event: Buffer): void {
  const exit = decodeExit(event);
  if (exit['id'] === exit['container_id']) tell(exit['container_id'], (id) => sink.onEnded(namespace, id));
}

function tell(id: unknown, to: (id: string) => void): void {
  const text = textOf(id);
  if (text !== '') to(text);
}
