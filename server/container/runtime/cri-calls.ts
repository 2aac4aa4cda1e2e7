/** The calls of CRI that are used, under the name of the version the runtime speaks. */
import type { JsonObject } from '../container-json.ts';
import type { GrpcConnection } from './grpc-connection.ts';
import { isNotFound, isUnimplemented } from './grpc-errors.ts';
import { type GrpcMethod, grpcMethod } from './grpc-methods.ts';
import { firstText, jsonObjectOf, objectAt, objectsOf, wireText } from './grpc-values.ts';
import { RuntimeError } from './runtime-client.ts';

/** Newest first. */
const VERSIONS = ['v1', 'v1alpha2'] as const;

type CriVersion = (typeof VERSIONS)[number];

type CriMethods = Readonly<Record<MethodName, GrpcMethod>>;

const RUNTIME_METHODS = [
  'Version',
  'ListPodSandbox',
  'PodSandboxStatus',
  'ListContainers',
  'ContainerStatus',
  'GetContainerEvents',
] as const;

type MethodName = (typeof RUNTIME_METHODS)[number] | 'ImageStatus';

/** What answers on the socket. */
export interface CriRuntime {
  readonly api: CriVersion;
  /** As it calls itself: `containerd`, `cri-o`, ... */
  readonly name: string;
  readonly version: string;
  readonly methods: CriMethods;
}

/** A verbose answer. */
export interface CriStatus {
  readonly status: JsonObject;
  /** The JSON that comes with it; undefined when there is none, or it is broken. */
  readonly info: JsonObject | undefined;
  /** There was text that is no JSON: another answer may say more. */
  readonly isBroken: boolean;
}

/** All reject with RuntimeError. Ids are binary strings, as in rows. */
export class CriCalls {
  private readonly connection: GrpcConnection;
  private known: CriRuntime | undefined;

  constructor(connection: GrpcConnection) {
    this.connection = connection;
    this.known = undefined;
  }

  /** Asks anew: a runtime that was replaced may speak another version. */
  async identify(signal: AbortSignal): Promise<CriRuntime> {
    this.known = undefined;
    for (const api of VERSIONS) {
      const methods = methodsOf(api);
      try {
        const answer = await this.connection.unary(methods.Version, { version: api }, { signal });
        this.known = {
          api,
          name: firstText(answer['runtime_name']),
          version: firstText(answer['runtime_version']),
          methods,
        };
        return this.known;
      } catch (error) {
        if (!isUnimplemented(error)) throw error;
      }
    }
    throw new RuntimeError(
      'refused',
      `${this.connection.socketPath}: does not speak CRI (neither v1 nor v1alpha2)`,
    );
  }

  async runtime(signal: AbortSignal): Promise<CriRuntime> {
    return this.known ?? (await this.identify(signal));
  }

  async probe(signal: AbortSignal): Promise<void> {
    const { methods, api } = await this.runtime(signal);
    await this.connection.unary(methods.Version, { version: api }, { signal });
  }

  async runningContainers(signal: AbortSignal): Promise<readonly JsonObject[]> {
    const request = { filter: { state: { state: 'CONTAINER_RUNNING' } } };
    return objectsOf((await this.ask('ListContainers', request, signal))['containers']);
  }

  async readySandboxes(signal: AbortSignal): Promise<readonly JsonObject[]> {
    const request = { filter: { state: { state: 'SANDBOX_READY' } } };
    return objectsOf((await this.ask('ListPodSandbox', request, signal))['items']);
  }

  /** Undefined when the runtime has no such container. */
  containerStatus(id: string, signal: AbortSignal): Promise<CriStatus | undefined> {
    return this.statusOf('ContainerStatus', { container_id: wireText(id), verbose: true }, signal);
  }

  /** Undefined when the runtime has no such sandbox. */
  sandboxStatus(id: string, signal: AbortSignal): Promise<CriStatus | undefined> {
    return this.statusOf('PodSandboxStatus', { pod_sandbox_id: wireText(id), verbose: true }, signal);
  }

  /** The image a container refers to, by name or id; undefined when the runtime has none. */
  async image(reference: string, signal: AbortSignal): Promise<JsonObject | undefined> {
    const answer = await this.ask('ImageStatus', { image: { image: wireText(reference) } }, signal);
    return objectAt(answer, 'image');
  }

  private async statusOf(
    name: MethodName,
    request: object,
    signal: AbortSignal,
  ): Promise<CriStatus | undefined> {
    try {
      const answer = await this.ask(name, request, signal);
      const status = objectAt(answer, 'status');
      const text = objectAt(answer, 'info')?.['info'];
      const info = jsonObjectOf(text);
      return (
        status && { status, info, isBroken: info === undefined && typeof text === 'string' && text !== '' }
      );
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  private async ask(name: MethodName, request: object, signal: AbortSignal): Promise<JsonObject> {
    const { methods } = await this.runtime(signal);
    return this.connection.unary(methods[name], request, { signal });
  }
}

function methodsOf(api: CriVersion): CriMethods {
  const method = (service: string, name: string): [string, GrpcMethod] => [
    name,
    grpcMethod('cri.proto', `runtime.v1.${service}`, name, `runtime.${api}`),
  ];
  return Object.fromEntries([
    ...RUNTIME_METHODS.map((name) => method('RuntimeService', name)),
    method('ImageService', 'ImageStatus'),
  ]) as CriMethods;
}
