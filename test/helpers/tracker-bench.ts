/** A container tracker around a scripted live source, with a clock of its own and everything it asks written down. */
import { InjectingEngine } from '../../server/capture/injecting-engine.ts';
import { bareContainer, containerJsonOf } from '../../server/container/container-rows.ts';
import type { ContainerRequest } from '../../server/container/container-update.ts';
import type { ThreadEntry } from '../../server/event/snapshot.ts';
import { ContainerTracker, type TrackerOptions } from '../../server/inspector/container-tracker.ts';
import { Inspector } from '../../server/inspector/inspector.ts';
import type { SettleOutcome } from '../../server/inspector/pending-containers.ts';
import { OsState } from '../../server/state/os-state.ts';
import { LiveScriptEngine } from './live-script-engine.ts';
import type { ScriptEvent } from './query-fixture.ts';

/** Full id of a container, by one hex digit or more. */
export function containerId(name: string): string {
  return name.padEnd(64, '0');
}

/** The cgroups of its threads, as events and thread lists carry them. */
export function cgroupsOf(fullId: string): string {
  return fullId === '' ? 'cpu=/\0' : `cpu=/docker/${fullId}\0memory=/docker/${fullId}\0`;
}

/** The JSON with which a runtime's complete answer is told. */
export function foundJson(fullId: string, name = 'web'): string {
  return containerJsonOf({ ...bareContainer(fullId, 'docker'), name, image: 'img', isComplete: true });
}

export class TrackerBench {
  readonly source: LiveScriptEngine;
  readonly engine: InjectingEngine;
  readonly inspector: Inspector;
  readonly tracker: ContainerTracker;
  readonly requests: ContainerRequest[];
  /** `id outcome`, in the order of their ends. */
  readonly settled: string[];
  nowMs: number;

  constructor(options: Partial<TrackerOptions> = {}, threads: readonly Partial<ThreadEntry>[] = []) {
    this.nowMs = 0;
    this.requests = [];
    this.settled = [];
    this.source = new LiveScriptEngine([{ tid: 1, pid: 1, cgroups: cgroupsOf('') }, ...threads]);
    this.engine = new InjectingEngine(this.source);
    let tracker: ContainerTracker | undefined;
    this.inspector = new Inspector(
      new OsState(),
      this.engine,
      { eventsMax: 64, bytesMax: 65_536 },
      {
        onContainerSeen: (fullId, type, tid) => tracker?.onThread(fullId, type, tid),
        onContainerStored: (key) => tracker?.onStored(key),
      },
    );
    const { state, pending, parser, event } = this.inspector;
    const target = options.mode === 'wait' ? undefined : this.engine;
    tracker = new ContainerTracker(
      { state, pending, parser, target, record: event.record },
      {
        mode: 'ask',
        lookupMs: 5000,
        replayWaitMs: 500,
        lingerMs: 10_000,
        nowMs: () => this.nowMs,
        request: (request) => this.requests.push(request),
        ...options,
      },
    );
    this.tracker = tracker;
    this.inspector.containers = tracker;
    pending.addListener({
      onSettled: (fullId: string, outcome: SettleOutcome) =>
        this.settled.push(`${fullId.replace(/0+$/, '')} ${outcome}`),
    });
  }

  async open(): Promise<this> {
    await this.inspector.open();
    this.tracker.start();
    return this;
  }

  /** Runs these events, and all that is injected. */
  run(...events: readonly ScriptEvent[]): void {
    this.source.push(...events);
    while (this.inspector.run(1000) === 'budget') {
      // On to the next.
    }
  }

  /** Requests so far, as `kind id tid`; they are forgotten. */
  asked(): string[] {
    return this.requests
      .splice(0)
      .map((request) =>
        [
          request.kind,
          request.fullId.replace(/0+$/, '') || 'host',
          ...('tid' in request ? [request.tid] : []),
        ].join(' '),
      );
  }
}

/** A process is born in a container (the host: ''). */
export function born(tid: number, fullId: string, ts?: bigint): ScriptEvent {
  return {
    code: 'PPME_SYSCALL_CLONE_20_X',
    tid,
    ts,
    params: {
      res: 0,
      exe: '/bin/x',
      tid,
      pid: tid,
      ptid: 1,
      comm: 'x',
      cgroups: Buffer.from(cgroupsOf(fullId), 'latin1'),
      flags: 0,
      uid: 0,
      gid: 0,
      vtid: tid,
      vpid: tid,
      pidns_init_start_ts: 0,
    },
  };
}

/** Its last thread ends. */
export function ended(tid: number): ScriptEvent {
  return { code: 'PPME_PROCEXIT_1_E', tid, params: { status: 0 } };
}
