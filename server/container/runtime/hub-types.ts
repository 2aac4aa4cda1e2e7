/** What the hub of all runtimes is given and tells. */
import type { ContainerUpdate } from '../container-update.ts';
import type { RuntimeKind } from './runtime-client.ts';

export interface RuntimeOptions {
  /** Where the node's root is mounted, '' for '/': prefix of found sockets and of /proc. */
  readonly hostRoot: string;
  /** Off: nobody is asked, rows hold what cgroup paths and capture files tell. */
  readonly isEnabled: boolean;
  /** Sockets as given (used as they are, without the prefix); undefined: found by themselves; empty: this kind is off (`none`). */
  readonly dockerSockets: readonly string[] | undefined;
  readonly podmanSockets: readonly string[] | undefined;
  readonly containerdSockets: readonly string[] | undefined;
  /** In addition to those found by themselves. */
  readonly criSockets: readonly string[];
  /** Look-ups of containers that no runtime knew at once: how long they are tried. */
  readonly lookupTimeoutMs: number;
  /** Longest wait for one answer of a runtime. */
  readonly callTimeoutMs: number;
}

export type RuntimeState = 'connecting' | 'ready' | 'degraded' | 'absent';

/** One runtime for status, health and metrics. */
export interface RuntimeStatus {
  readonly kind: RuntimeKind;
  readonly socketPath: string;
  readonly state: RuntimeState;
  /** As it calls itself; '' before the first answer. */
  readonly version: string;
  /** Why it is degraded, and what to do about it; '' otherwise. */
  readonly error: string;
  readonly containerCount: number;
  readonly callCount: number;
  readonly callFailureCount: number;
  readonly callTimeoutCount: number;
  readonly eventCount: number;
  readonly reconnectCount: number;
  /** Whether push events are received now. */
  readonly isWatching: boolean;
}

export interface HubCounters {
  /** Containers whose metadata was there before a thread was seen in them / had to be asked for. */
  prefetched: number;
  lookups: number;
  lookupsFound: number;
  lookupsFailed: number;
  /** Look-ups not begun because as many as may be were running. */
  lookupsRefused: number;
  /** Containers not followed, as many as may be were known. */
  containersRefused: number;
  usersRead: number;
  usersFailed: number;
}

export interface HubListener {
  onUpdates(updates: readonly ContainerUpdate[]): void;
  /** State or error of a runtime has changed. */
  onStatusChanged(): void;
}
