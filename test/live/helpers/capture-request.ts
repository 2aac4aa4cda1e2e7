/** What a capture process is asked for, and what it answers. */
import type { CaptureStatus } from '../../../server/capture/capture-status.ts';
import type { LiveOptions } from '../../../server/capture/live-options.ts';

export interface CaptureRequest {
  readonly options?: Partial<LiveOptions> | undefined;
  /** Undefined: what the state needs. */
  readonly interest?: 'all' | readonly string[] | undefined;
  /** Where to write the records; undefined: they are counted only. */
  readonly outPath?: string | undefined;
  /** Reads nothing until a line comes on standard input: the rings fill up. */
  readonly isPaused?: boolean | undefined;
}

export interface CaptureSummary {
  readonly delivered: number;
  readonly eventsLost: number;
  readonly cpuS: number;
  readonly status: Omit<CaptureStatus, 'snapshotEndNs'> & { readonly snapshotEndNs: string };
}

export const LIVE_DEFAULTS: LiveOptions = {
  hostRoot: '',
  ringBytes: 8 * 1024 * 1024,
  ringCount: 0,
  reorderWindowUs: 1000,
  snaplen: 80,
  argsBytesMax: 4096,
  captureSelf: false,
  suppressComms: [],
  suppressPids: [],
  suppressCgroups: [],
  pageFaults: false,
  contextSwitches: false,
  collectEnv: [],
  redactArgs: [],
  dropCapabilities: true,
  nodriverRefreshMs: 5000,
  healBudget: 100,
  foreignSocket: '',
};
