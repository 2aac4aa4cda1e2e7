/** Calls to one gRPC service on a Unix socket: each bounded in time and bytes, none repeated, a dead socket noticed at the next call. */
import { Client, connectivityState, credentials, Metadata, status } from '@grpc/grpc-js';
import type { JsonObject } from '../container-json.ts';
import { grpcCallError } from './grpc-errors.ts';
import type { GrpcMethod } from './grpc-methods.ts';
import { RuntimeError } from './runtime-client.ts';

/** As kubelet takes, and as containerd sends at most. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': 1024 * 1024,
  // The defaults (1 s, growing to 2 min) would leave a runtime that is back unnoticed for as long.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  // Closing one connection must not leave its socket to another's.
  'grpc.use_local_subchannel_pool': 1,
} as const;

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Namespace of containerd the call is made in; absent for calls without one. */
  readonly namespace?: string | undefined;
}

export interface StreamOptions extends CallOptions {
  /** What it throws ends the stream, and is what the stream rejects with. */
  onMessage(message: JsonObject): void;
  /** Streams that must end by themselves are bounded in time too; otherwise they last. */
  readonly timeoutMs?: number | undefined;
}

export class GrpcConnection {
  readonly socketPath: string;
  private readonly callTimeoutMs: number;
  private client: Client | undefined;
  /** Replaced, with calls under way. */
  private readonly retired: Set<Client>;
  private isClosed: boolean;

  constructor(socketPath: string, callTimeoutMs: number) {
    this.socketPath = socketPath;
    this.callTimeoutMs = callTimeoutMs;
    this.client = undefined;
    this.retired = new Set();
    this.isClosed = false;
  }

  /** One question, one answer. Rejects with RuntimeError. */
  unary(method: GrpcMethod, request: object, options: CallOptions): Promise<JsonObject> {
    return new Promise((resolve, reject) => {
      const client = this.usableClient(method, options.signal);
      const deadline = Date.now() + this.callTimeoutMs;
      const call = client.makeUnaryRequest(
        method.path,
        method.encode,
        method.decode,
        request,
        metadataOf(options),
        { deadline },
        (error, answer) => {
          options.signal.removeEventListener('abort', onAbort);
          if (error !== null) reject(this.failure(error, method, options.signal, client));
          else if (answer === undefined)
            reject(new RuntimeError('protocol', `${this.what(method)}: no answer`));
          else resolve(answer);
        },
      );
      const onAbort = () => call.cancel();
      options.signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Messages until the stream ends (resolves), breaks or is given up (rejects with RuntimeError). */
  stream(method: GrpcMethod, request: object, options: StreamOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const client = this.usableClient(method, options.signal);
      const limits = options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs };
      const call = client.makeServerStreamRequest(
        method.path,
        method.encode,
        method.decode,
        request,
        metadataOf(options),
        limits,
      );
      const onAbort = () => call.cancel();
      options.signal.addEventListener('abort', onAbort, { once: true });
      call.on('data', (message: JsonObject) => {
        try {
          options.onMessage(message);
        } catch (error) {
          reject(error);
          call.cancel();
        }
      });
      call.on('error', (error) => {
        options.signal.removeEventListener('abort', onAbort);
        reject(this.failure(error, method, options.signal, client));
      });
      call.on('end', () => {
        options.signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }

  /** The next call connects anew, whatever the state of the connection seems to be. Calls under way may still be answered. */
  reset(): void {
    const { client } = this;
    this.client = undefined;
    if (client === undefined) return;
    this.retired.add(client);
    // By then all of its calls are answered or over time.
    setTimeout(() => this.retire(client), this.callTimeoutMs).unref();
  }

  close(): void {
    this.isClosed = true;
    this.reset();
    for (const client of this.retired) this.retire(client);
  }

  private retire(client: Client): void {
    if (this.retired.delete(client)) client.close();
  }

  /** Throws when no call may be made. */
  private usableClient(method: GrpcMethod, signal: AbortSignal): Client {
    if (this.isClosed) throw new RuntimeError('unreachable', `${this.what(method)}: the client is closed`);
    if (signal.aborted) throw new RuntimeError('unreachable', `${this.what(method)}: given up`);
    // While a failed channel waits for its next attempt it refuses calls unasked: a new one tries at once.
    if (this.client?.getChannel().getConnectivityState(false) === connectivityState.TRANSIENT_FAILURE)
      this.reset();
    this.client ??= new Client(`unix:${this.socketPath}`, credentials.createInsecure(), CHANNEL_OPTIONS);
    return this.client;
  }

  private failure(error: unknown, method: GrpcMethod, signal: AbortSignal, client: Client): RuntimeError {
    if (signal.aborted) {
      return new RuntimeError('unreachable', `${this.what(method)}: given up`, { cause: error });
    }
    const failure = grpcCallError(error, this.socketPath, method.name);
    // Somebody accepted and said nothing: should the socket be another's by now, only a new connection finds out.
    if (failure.code === status.DEADLINE_EXCEEDED && client === this.client && !isReady(client)) this.reset();
    return failure;
  }

  private what(method: GrpcMethod): string {
    return `${this.socketPath}: ${method.name}`;
  }
}

function isReady(client: Client): boolean {
  return client.getChannel().getConnectivityState(false) === connectivityState.READY;
}

function metadataOf(options: CallOptions): Metadata {
  const metadata = new Metadata();
  if (options.namespace !== undefined) metadata.set('containerd-namespace', options.namespace);
  return metadata;
}
