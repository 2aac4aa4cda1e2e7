/** What crosses between those who ask container runtimes (control plane) and the inspector. Plain data. */
import type { GroupRow, UserRow } from '../state/user-table.ts';

/** News of a container, in the order in which they were learned. Becomes an async event of the stream, where it changes state. */
export type ContainerUpdate =
  /** Metadata, whole or in part: the JSON of a container event (`containerJsonOf`, a binary string). */
  | { readonly kind: 'found'; readonly fullId: string; readonly json: string; readonly isComplete: boolean }
  /** The runtime says that it has ended. Its row stays until some time after its last thread. */
  | { readonly kind: 'gone'; readonly fullId: string }
  /** No runtime knows it, and nobody asks any more: events need not wait for it. */
  | { readonly kind: 'unknown'; readonly fullId: string }
  /** All users and groups of the container's own files; they replace those known before. `fullId` '' is the host. */
  | {
      readonly kind: 'users';
      readonly fullId: string;
      readonly users: readonly UserRow[];
      readonly groups: readonly GroupRow[];
    };

/** A thread was seen in a container without complete metadata. */
export interface ContainerWanted {
  readonly fullId: string;
  /** Engine word of the cgroup's shape; '' where it fits several. */
  readonly type: string;
  /** A thread in it, for its own files under /proc/TID/root. */
  readonly tid: number;
}

/** What the inspector asks of those who know runtimes. */
export type ContainerRequest =
  | ({ readonly kind: 'wanted' } & ContainerWanted)
  /** The users of this container (the host: '') are to be read, anew when they were read before; through this thread's root. */
  | { readonly kind: 'users'; readonly fullId: string; readonly tid: number }
  /** The row has left the table. */
  | { readonly kind: 'forgotten'; readonly fullId: string };
