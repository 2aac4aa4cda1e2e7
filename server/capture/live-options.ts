/** How a live node is captured: what the options of the server come to, as the engines take it. Plain data: it crosses threads. */
export interface LiveOptions {
  /** Prefix of /proc, /etc and /sys of the node: '' when they are this process's own. */
  readonly hostRoot: string;
  /** Bytes of one ring; a power of two of at least one page. */
  readonly ringBytes: number;
  /** Rings; 0: one per cpu. */
  readonly ringCount: number;
  /** How long an event waits for older ones of other cpus, in microseconds. */
  readonly reorderWindowUs: number;
  /** Bytes of data read or written that an event carries at most. */
  readonly snaplen: number;
  /** Bytes of arguments, and of environment variables, that an event carries at most. */
  readonly argsBytesMax: number;
  /** Capture this process and its children, too. */
  readonly captureSelf: boolean;
  /** Processes never captured: by the name they run under, by pid, by cgroup path; with all they start. */
  readonly suppressComms: readonly string[];
  readonly suppressPids: readonly number[];
  readonly suppressCgroups: readonly string[];
  readonly pageFaults: boolean;
  readonly contextSwitches: boolean;
  /** Names of the environment variables kept; none: they are not even collected. */
  readonly collectEnv: readonly string[];
  /** Patterns (RE2) of what is blotted out in arguments and environment variables. */
  readonly redactArgs: readonly string[];
  /** Give up the capabilities that are not needed once the probe is attached. */
  readonly dropCapabilities: boolean;
  /** A socket that cannot be connected to without CAP_DAC_OVERRIDE, which is kept then; '' when there is none. */
  readonly foreignSocket: string;
  /** How often the state is read anew where there are no events, in milliseconds. */
  readonly nodriverRefreshMs: number;
  /** Look-ups of missing threads per second; 0: none. */
  readonly healBudget: number;
}
