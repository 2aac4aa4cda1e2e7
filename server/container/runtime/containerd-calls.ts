/** The calls of containerd's own services that are used, by its native client and for what CRI does not tell. */
import { status } from '@grpc/grpc-js';
import type { JsonObject } from '../container-json.ts';
import type { GrpcConnection } from './grpc-connection.ts';
import { GrpcCallError, isNotFound, isUnimplemented } from './grpc-errors.ts';
import { grpcMethod } from './grpc-methods.ts';
import { firstText, objectAt, objectsOf, wireText } from './grpc-values.ts';
import { RuntimeError } from './runtime-client.ts';

/** Containers of one namespace that are read. */
const CONTAINERS_MAX = 10_000;

/** Names that can be sent as a header. */
const NAMESPACE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,75}$/;

/** Namespaces looked into. */
const NAMESPACES_MAX = 64;

const VERSION = grpcMethod('containerd-version.proto', 'containerd.services.version.v1.Version', 'Version');
const NAMESPACES = grpcMethod(
  'containerd-namespaces.proto',
  'containerd.services.namespaces.v1.Namespaces',
  'List',
);
const CONTAINERS = 'containerd.services.containers.v1.Containers';
const CONTAINER_GET = grpcMethod('containerd-containers.proto', CONTAINERS, 'Get');
const CONTAINER_STREAM = grpcMethod('containerd-containers.proto', CONTAINERS, 'ListStream');
// Before there were streams of containers.
const CONTAINER_LIST = grpcMethod('containerd-containers.proto', CONTAINERS, 'List');
const TASK_GET = grpcMethod('containerd-tasks.proto', 'containerd.services.tasks.v1.Tasks', 'Get');
const TASK_LIST = grpcMethod('containerd-tasks.proto', 'containerd.services.tasks.v1.Tasks', 'List');
const IMAGE_GET = grpcMethod('containerd-images.proto', 'containerd.services.images.v1.Images', 'Get');

/** Whether calls can be made in a namespace of this name. */
export function isNamespaceName(name: string): boolean {
  return NAMESPACE_NAME.test(name);
}

/** All reject with RuntimeError. Ids and names are binary strings, as in rows. */
export class ContainerdCalls {
  private readonly connection: GrpcConnection;
  private readonly callTimeoutMs: number;

  constructor(connection: GrpcConnection, callTimeoutMs: number) {
    this.connection = connection;
    this.callTimeoutMs = callTimeoutMs;
  }

  async version(signal: AbortSignal): Promise<string> {
    const answer = await this.connection.unary(VERSION, {}, { signal });
    return firstText(answer['version']);
  }

  async namespaces(signal: AbortSignal): Promise<readonly string[]> {
    const answer = await this.connection.unary(NAMESPACES, {}, { signal });
    const names = objectsOf(answer['namespaces']).map((one) => firstText(one['name']));
    return [...new Set(names)].filter(isNamespaceName).slice(0, NAMESPACES_MAX);
  }

  /** Undefined when this namespace does not have it. */
  async container(namespace: string, id: string, signal: AbortSignal): Promise<JsonObject | undefined> {
    const answer = await this.orNothing(
      this.connection.unary(CONTAINER_GET, { id: wireText(id) }, { signal, namespace }),
    );
    return objectAt(answer, 'container');
  }

  /** All of a namespace; `onContainer` is called for each as it comes, as together they are longer than one message may be. */
  async containers(
    namespace: string,
    onContainer: (container: JsonObject) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const enough = new AbortController();
    let count = 0;
    const take = (container: JsonObject | undefined) => {
      if (count >= CONTAINERS_MAX) enough.abort();
      else if (container !== undefined) onContainer(container);
      count++;
    };
    const options = {
      signal: AbortSignal.any([signal, enough.signal]),
      namespace,
      timeoutMs: this.callTimeoutMs,
      onMessage: (message: JsonObject) => take(objectAt(message, 'container')),
    };
    try {
      await this.connection.stream(CONTAINER_STREAM, {}, options);
    } catch (error) {
      if (enough.signal.aborted && !signal.aborted) return;
      if (!isUnimplemented(error)) throw error;
      const answer = await this.connection.unary(CONTAINER_LIST, {}, { signal, namespace });
      for (const container of objectsOf(answer['containers'])) take(container);
    }
  }

  /** The running part of one; undefined when it has none. */
  async task(namespace: string, id: string, signal: AbortSignal): Promise<JsonObject | undefined> {
    const answer = await this.orNothing(
      this.connection.unary(TASK_GET, { container_id: wireText(id) }, { signal, namespace }),
    );
    return objectAt(answer, 'process');
  }

  async tasks(namespace: string, signal: AbortSignal): Promise<readonly JsonObject[]> {
    const answer = await this.connection.unary(TASK_LIST, {}, { signal, namespace });
    return objectsOf(answer['tasks']);
  }

  /** Digest of an image's manifest; '' when the image is gone. */
  async imageDigest(namespace: string, name: string, signal: AbortSignal): Promise<string> {
    const answer = await this.orNothing(
      this.connection.unary(IMAGE_GET, { name: wireText(name) }, { signal, namespace }),
    );
    return firstText(objectAt(answer, 'image', 'target')?.['digest']);
  }

  private async orNothing(answer: Promise<JsonObject>): Promise<JsonObject | undefined> {
    try {
      return await answer;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      // Ids that containerd would never give are no ids of its containers.
      if (error instanceof GrpcCallError && error.code === status.INVALID_ARGUMENT) return undefined;
      throw error;
    }
  }
}

/** For a call whose answer is only wished for: undefined when it fails, unless everything was given up. */
export async function ifTold<T>(answer: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (signal.aborted || !(error instanceof RuntimeError)) throw error;
    return undefined;
  }
}
