/** What a capture engine tells about itself: for the status call and for logs. */

/** One count of lost records: by cause, or by event type. */
export interface LossCount {
  /** Cause (`ring-full`, `unordered`, ...) or name of an event type. */
  readonly name: string;
  readonly count: number;
}

export interface CaptureStatus {
  /** Records built in the kernel, whether or not there was room for them; 0 where there is no kernel side. */
  generated: number;
  /** Events of interest left out because their process, name or cgroup is suppressed. */
  suppressed: number;
  /** Parameters whose user memory could not be read: empty in the event. */
  unread: number;
  /** Parameters cut to a limit. */
  truncated: number;
  /** Records the kernel side gave up: a defect when not 0. */
  failed: number;
  /** Every lost event, by cause; the sum is `eventsLost`. */
  lostByCause: readonly LossCount[];
  /** Lost for want of room, by event type; most first. */
  lostByType: readonly LossCount[];
  ringCount: number;
  /** Bytes of all rings together. */
  ringBytes: number;
  /** Bytes waiting in the rings now, and the most seen in one ring when it was read. */
  ringUsedBytes: number;
  ringUsedBytesMax: number;
  /** System calls captured in the kernel at the moment. */
  systemCallsWanted: number;
  /** Where the initial state came from: `iterators`, `procfs`, or both; and when it was complete, ns since the epoch. */
  snapshotSource: string;
  snapshotEndNs: bigint;
  snapshotThreads: number;
  snapshotMs: number;
  /** Capabilities the process still holds, by name (`CAP_BPF`). */
  capabilities: readonly string[];
  /** Sentences about what is missing or weaker than usual on this node. */
  notes: readonly string[];
}
