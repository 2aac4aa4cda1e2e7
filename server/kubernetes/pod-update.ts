/** What crosses from the watches of the API server (control plane) to the inspector. Plain data. */

/** News of a pod of this node, in the order in which they were learned. Becomes an async event of the stream, where it changes state. */
export type PodUpdate =
  /** The pod with everything joined to it so far: the JSON of a pod event (`podJsonOf`, a binary string). */
  | { readonly kind: 'pod'; readonly uid: string; readonly json: string; readonly isComplete: boolean }
  /** The API server has it no more. Its row stays until some time after its last thread. */
  | { readonly kind: 'gone'; readonly uid: string }
  /** All pods of the node have been told once, or there is no way to: nobody need wait for those there were. */
  | { readonly kind: 'synced' };
