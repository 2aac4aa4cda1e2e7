/** The gRPC server: all services on one grpc-js server, its listeners, and its end in good order. */
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { CatalogServiceService } from '../../proto/gen/strata/v1/catalog_service.ts';
import { EnrichmentServiceService } from '../../proto/gen/strata/v1/enrichment_service.ts';
import { ExtractionServiceService } from '../../proto/gen/strata/v1/extraction_service.ts';
import type { Counter } from '../../proto/gen/strata/v1/node_service.ts';
import { NodeServiceService } from '../../proto/gen/strata/v1/node_service.ts';
import { StateServiceService } from '../../proto/gen/strata/v1/state_service.ts';
import type { Inspectors } from '../inspector/event-feed.ts';
import type { SubscriberClock } from '../stream/subscriber.ts';
import { type Catalog, catalogHandlers } from './catalog-handlers.ts';
import type { RuntimeFigures } from './container-status.ts';
import { eventHandlers, eventServiceDefinition } from './event-handlers.ts';
import type { KubernetesFigures } from './kubernetes-status.ts';
import { nodeHandlers } from './node-handlers.ts';
import { RecordHandlers, recordingServiceDefinition } from './record-handlers.ts';
import { addReflection } from './reflection.ts';
import { enrichmentHandlers, extractionHandlers, stateHandlers } from './state-handlers.ts';
import type { ErrorLog } from './status.ts';
import { type SubscriptionLimits, Subscriptions } from './subscriptions.ts';
import { bindUnixSocket, type UnixListener } from './unix-socket.ts';

/** Name in `grpc.health.v1` of what is no gRPC service: the source of events. */
const CAPTURE_HEALTH = 'capture';
/** The same for the container runtimes. */
const CONTAINERS_HEALTH = 'containers';
/** The same for the API server. */
const KUBERNETES_HEALTH = 'kubernetes';
/** Largest request taken; the contract's own limits stay far below. */
const REQUEST_BYTES_MAX = 4 * 1024 * 1024;
/** Largest response sent. Batches end far below; full pages of threads with long environments do not. */
const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;

export interface RpcDeps {
  readonly inspectors: Inspectors;
  readonly catalog: Catalog;
  readonly serverVersion: string;
  /** When the server started, nanoseconds since the epoch. */
  readonly startTimestampNs: bigint;
  readonly limits: SubscriptionLimits & {
    /** Largest backlog a subscription may ask for, and its default, in bytes. */
    readonly backlogBytesMax: number;
  };
  readonly clock: SubscriberClock;
  readonly log: ErrorLog;
  /** Counters of other parts, shown by `GetCounters`. */
  extraCounters(): readonly Counter[];
  /** Undefined where no container runtime is asked. */
  readonly runtimes?: RuntimeFigures | undefined;
  /** Undefined where no API server is followed. */
  readonly kubernetes?: KubernetesFigures | undefined;
}

export interface RpcServer {
  readonly subscriptions: Subscriptions;
  /**
   * Listens on a Unix socket with the given permission bits; `mode` is in force before anybody can connect. A stale
   * socket file is replaced. Rejects when another process answers there or the path holds something else.
   */
  listenUnix(path: string, mode: number): Promise<void>;
  /** Listens in plain text on a loopback address; returns the port, which is chosen when 0 was given. */
  listenLoopback(host: string, port: number): Promise<number>;
  /** What `grpc.health.v1` answers for the server and all of its services. */
  setServing(isServing: boolean): void;
  /** What it answers for the service name `capture`: whether events come, from the kernel or from a file. */
  setCapturing(isCapturing: boolean): void;
  /** What it answers for the service name `containers`: whether every container runtime there is answers as it should. */
  setContainersKnown(isKnown: boolean): void;
  /** What it answers for the service name `kubernetes`: whether all kinds of the API server are followed, should any be. */
  setKubernetesKnown(isKnown: boolean): void;
  /** Ends streams in good order, then everything, by force after `timeoutMs`. Removes the socket files. */
  stop(timeoutMs: number): Promise<void>;
}

export function createRpcServer(deps: RpcDeps): RpcServer {
  return new GrpcServer(deps);
}

class GrpcServer implements RpcServer {
  readonly subscriptions: Subscriptions;
  private readonly server: Server;
  private readonly health: HealthImplementation;
  private readonly clock: SubscriberClock;
  private readonly recordings: RecordHandlers;
  private readonly sockets: UnixListener[];
  private readonly serviceNames: string[];

  constructor(deps: RpcDeps) {
    this.clock = deps.clock;
    this.sockets = [];
    this.serviceNames = [''];
    this.subscriptions = new Subscriptions(deps.inspectors, deps.limits, deps.clock);
    this.server = new Server({
      'grpc.max_receive_message_length': REQUEST_BYTES_MAX,
      'grpc.max_send_message_length': RESPONSE_BYTES_MAX,
    });
    const { subscriptions } = this;
    const { log } = deps;
    const nodeDeps = {
      ...deps,
      subscriptions,
      fieldCount: deps.catalog.fields.length,
      extraCounters: () => deps.extraCounters(),
    };
    this.add(eventServiceDefinition, eventHandlers({ ...deps, subscriptions }));
    this.add(StateServiceService, stateHandlers(subscriptions, log));
    this.add(EnrichmentServiceService, enrichmentHandlers(subscriptions, log));
    this.add(ExtractionServiceService, extractionHandlers(subscriptions, log));
    this.add(CatalogServiceService, catalogHandlers(deps.catalog, log));
    this.add(NodeServiceService, nodeHandlers(nodeDeps));
    this.recordings = new RecordHandlers({ ...deps, subscriptions });
    this.add(recordingServiceDefinition, this.recordings.methods);
    this.health = new HealthImplementation();
    this.health.addToServer(this.server);
    addReflection(this.server);
    this.setServing(false);
    this.setCapturing(false);
    this.setContainersKnown(false);
    this.setKubernetesKnown(false);
  }

  async listenUnix(path: string, mode: number): Promise<void> {
    this.sockets.push(await bindUnixSocket(path, mode, (address) => this.bind(address)));
  }

  async listenLoopback(host: string, port: number): Promise<number> {
    if (!isLoopback(host))
      throw new Error(`${host} is not a loopback address: plain text is served on loopback only`);
    return this.bind(`${host.includes(':') ? `[${host}]` : host}:${port}`);
  }

  setServing(isServing: boolean): void {
    for (const name of this.serviceNames) {
      this.health.setStatus(name, isServing ? 'SERVING' : 'NOT_SERVING');
    }
  }

  setCapturing(isCapturing: boolean): void {
    this.health.setStatus(CAPTURE_HEALTH, isCapturing ? 'SERVING' : 'NOT_SERVING');
  }

  setContainersKnown(isKnown: boolean): void {
    this.health.setStatus(CONTAINERS_HEALTH, isKnown ? 'SERVING' : 'NOT_SERVING');
  }

  setKubernetesKnown(isKnown: boolean): void {
    this.health.setStatus(KUBERNETES_HEALTH, isKnown ? 'SERVING' : 'NOT_SERVING');
  }

  async stop(timeoutMs: number): Promise<void> {
    this.setServing(false);
    this.setCapturing(false);
    this.setContainersKnown(false);
    this.setKubernetesKnown(false);
    // Nobody new finds the way in; those inside are served to their end.
    for (const socket of this.sockets) socket.remove();
    await new Promise<void>((resolve) => {
      const cancelTimer = this.clock.after(timeoutMs, () => {
        this.server.forceShutdown();
        resolve();
      });
      const finish = () => {
        cancelTimer();
        resolve();
      };
      this.recordings.stop();
      this.subscriptions.drain().then(
        () => this.server.tryShutdown(finish),
        () => this.server.forceShutdown(),
      );
    });
  }

  private add(definition: ServiceDefinition, implementation: object): void {
    this.server.addService(definition, implementation as UntypedServiceImplementation);
    const [method] = Object.values(definition);
    const name = method?.path.split('/')[1];
    if (name !== undefined) this.serviceNames.push(name);
  }

  private bind(address: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
        if (error !== null) reject(error);
        else resolve(port);
      });
    });
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
