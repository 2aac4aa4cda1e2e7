/** What crosses between the watches of the API server (control plane) and the inspector. Plain data. */

/** News of a pod of this node, in the order in which they were learned. Becomes an async event of the stream, where it changes state. */
export type PodUpdate =
  /** The pod with everything joined to it so far: the JSON of a pod event (`podJsonOf`, a binary string). */
  | { readonly kind: 'pod'; readonly uid: string; readonly json: string; readonly isComplete: boolean }
  /** The API server has it no more. Its row stays until some time after its last thread. */
  | { readonly kind: 'gone'; readonly uid: string }
  /** All pods of the node have been told once (or there is no way to): what is not known now is not known to the API server. */
  | { readonly kind: 'synced' };

/** What the inspector asks of those who watch. */
export type PodRequest =
  /** A thread was seen in a cgroup of this pod, of which there is no row. */
  | { readonly kind: 'wanted'; readonly uid: string }
  /** The row has left the table. */
  | { readonly kind: 'forgotten'; readonly uid: string };
