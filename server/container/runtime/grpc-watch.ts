/** A stream of push events that is known to be live: gRPC itself tells neither when it begins nor when a runtime hangs. */
import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '../container-json.ts';
import type { GrpcConnection } from './grpc-connection.ts';
import { isUnimplemented } from './grpc-errors.ts';
import type { GrpcMethod } from './grpc-methods.ts';
import { RuntimeError } from './runtime-client.ts';

/** How often a runtime is asked whether it still answers while nothing happens. */
export const PROBE_INTERVAL_MS = 10_000;

/** The runtime offers no such stream: another way must be found. */
export class NoEventsError extends RuntimeError {
  constructor(message: string, options?: ErrorOptions) {
    super('refused', message, options);
  }
}

export interface WatchTarget {
  readonly method: GrpcMethod;
  readonly request: object;
  readonly probeIntervalMs: number;
  /** A cheap call on the same connection. */
  probe(signal: AbortSignal): Promise<unknown>;
  onMessage(message: JsonObject): void;
  /** From here on no event is missed. */
  onReady(): void;
}

/** Resolves when `signal` aborts; rejects with NoEventsError when there is no such stream, with RuntimeError when it breaks. */
export async function watchStream(
  connection: GrpcConnection,
  target: WatchTarget,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const { method, request, onMessage } = target;
  let isReady = false;
  const streaming = connection.stream(method, request, { signal: both, onMessage }).then(() => {
    const message = `${connection.socketPath}: ${method.name}: the stream has ended`;
    // Some runtimes end it at once where events are not turned on.
    throw isReady ? new RuntimeError('unreachable', message) : new NoEventsError(message);
  });
  const probing = async () => {
    // Calls of one connection are taken up in order: once these are answered the stream has been taken up too.
    await target.probe(both);
    await target.probe(both);
    if (both.aborted) return;
    isReady = true;
    target.onReady();
    while (!both.aborted) {
      await delay(target.probeIntervalMs, undefined, { signal: both, ref: false });
      // One that is only late is asked once more.
      await target.probe(both).catch(() => target.probe(both));
    }
  };
  const all = [streaming, probing()];
  try {
    await Promise.race(all);
  } catch (error) {
    if (signal.aborted) return;
    if (isUnimplemented(error)) throw new NoEventsError(messageOf(error), { cause: error });
    throw error;
  } finally {
    stop.abort();
    await Promise.allSettled(all);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
