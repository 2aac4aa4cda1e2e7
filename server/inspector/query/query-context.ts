/** What the inspector's thread knows when it answers questions, and who it says it is. */
import {
  type CaptureEngine as CaptureEngineMessage,
  CaptureEngine as CaptureEngineNumber,
  type NodeIdentity,
} from '../../../proto/gen/strata/v1/node.ts';
import type { CaptureEngine } from '../../capture/capture-engine.ts';
import type { Inspector } from '../inspector.ts';
import { utf8Of } from './text.ts';

export interface QueryContext {
  readonly inspector: Inspector;
  /** As the operator gave it; '' when none was given. */
  readonly nodeName: string;
  /** Base name of the capture file, '' for live sources. */
  readonly captureName: string;
  /** Subscriptions that read this inspector's events. */
  subscriptionCount(): number;
  /** For live sources. */
  readonly live?: LiveContext | undefined;
}

export interface LiveContext {
  /** Why there are no events although they were wanted; '' when there are. */
  readonly fallbackReason: string;
  /** Look-ups of threads nobody had introduced. */
  healing(): HealingCounters;
}

export interface HealingCounters {
  readonly lookups: number;
  /** Of them, those that found the thread. */
  readonly found: number;
}

const ENGINE_NUMBERS: Readonly<Record<CaptureEngine['name'], CaptureEngineMessage>> = {
  savefile: CaptureEngineNumber.SAVEFILE,
  ebpf: CaptureEngineNumber.EBPF,
  nodriver: CaptureEngineNumber.NODRIVER,
  plugin: CaptureEngineNumber.PLUGIN,
};

export function captureEngineOf(engine: CaptureEngine): CaptureEngineMessage {
  return ENGINE_NUMBERS[engine.name];
}

/** Read when asked for: a capture file tells who its node was only once it is open. */
export function nodeIdentityOf(context: QueryContext): NodeIdentity {
  const { machine } = context.inspector.state;
  return {
    nodeName: context.nodeName,
    hostname: utf8Of(machine.hostname),
    bootTimestampNs: machine.bootTsNs === 0n ? undefined : machine.bootTsNs,
    cpuCount: machine.cpuCount,
    memoryBytes: machine.memoryBytes,
  };
}
