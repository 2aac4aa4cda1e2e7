/** A connection to one container runtime, whatever it speaks. Nothing here retries: the hub decides when to ask again. */
import type { ContainerRow } from '../../state/container-table.ts';

export type RuntimeKind = 'docker' | 'podman' | 'cri' | 'containerd';

/** A container as a runtime tells it. */
export interface RuntimeContainer {
  /** `isComplete` says whether this is everything the runtime can tell. */
  readonly row: ContainerRow;
  /** Pid of its first process on the node; 0 when there is none or the answer does not say. */
  readonly pid: number;
  readonly isRunning: boolean;
  /**
   * Namespace of containerd it was found in, by its native client only. Rows of `moby` are Docker's own containers without image,
   * name and labels, those of `k8s.io` are CRI's: whoever made them says more of them, so these only stand in.
   */
  readonly namespace?: string | undefined;
}

/** Push events, reduced to what matters here. */
export interface RuntimeEvents {
  /** It exists now; its first process has not run yet or just started. Metadata that came with the event itself, when any. */
  onCreated(fullId: string, early?: RuntimeContainer): void;
  /** Its first process has started (or something about it changed): facts such as its address can be had now. */
  onStarted(fullId: string): void;
  /** Its first process has ended, or it was removed. */
  onEnded(fullId: string): void;
}

/** Why a call failed: decides what status says and whether asking again makes sense. */
export type RuntimeFault = 'unreachable' | 'permission' | 'timeout' | 'protocol' | 'refused';

export class RuntimeError extends Error {
  readonly fault: RuntimeFault;

  constructor(fault: RuntimeFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RuntimeError';
    this.fault = fault;
  }
}

/**
 * All calls reject with RuntimeError, in bounded time, with a message that names the socket and what was asked. What is received
 * is bounded in bytes, and checked: any member may be missing or of another type.
 */
export interface RuntimeClient {
  readonly kind: RuntimeKind;
  readonly socketPath: string;
  /** Finds out who answers: name and version as shown in status, such as `Docker 20.10.24`. */
  connect(signal: AbortSignal): Promise<string>;
  /** Every running container (and created ones where that costs nothing more); rows may be partial. */
  list(signal: AbortSignal): Promise<readonly RuntimeContainer[]>;
  /** Everything about one; undefined when this runtime does not know it. `fullId` may also be a pod sandbox. */
  inspect(fullId: string, signal: AbortSignal): Promise<RuntimeContainer | undefined>;
  /**
   * Fast facts about one that may be starting (never waits for the start to be over); undefined when unknown. For runtimes
   * whose `inspect` blocks meanwhile; otherwise not there.
   */
  readonly peek?:
    | ((fullId: string, signal: AbortSignal) => Promise<RuntimeContainer | undefined>)
    | undefined;
  /** Push events until `signal` aborts (resolves) or the stream breaks (rejects). `onReady`: from here on none is missed. */
  watch(events: RuntimeEvents, onReady: () => void, signal: AbortSignal): Promise<void>;
  close(): void;
}
