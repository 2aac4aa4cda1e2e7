/**
 * Short-lived containers, many of them: a fake Docker tells and answers, a scripted source has their first process born, run a
 * program and exit, and the real hub, clients and inspector stand between the two.
 */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { InjectingEngine } from '../../server/capture/injecting-engine.ts';
import { RuntimeHub } from '../../server/container/runtime/runtime-hub.ts';
import { ContainerTracker } from '../../server/inspector/container-tracker.ts';
import { Inspector } from '../../server/inspector/inspector.ts';
import { InspectorHost } from '../../server/inspector/inspector-host.ts';
import { OsState } from '../../server/state/os-state.ts';
import { eventually } from './eventually.ts';
import { fakeContainer } from './fake-container.ts';
import { FakeRuntimes } from './fake-runtimes.ts';
import { FeedRecorder, feedRequest } from './feed-recorder.ts';
import { LiveScriptEngine } from './live-script-engine.ts';
import { born, ended } from './tracker-bench.ts';

export interface ChurnReport {
  readonly containers: number;
  /** First execs delivered, and of them those with the name of their container. */
  readonly execs: number;
  readonly named: number;
  readonly ms: number;
  /** Heap after collection: when a first part of the containers had come and gone, and at the end. */
  readonly heapBeforeBytes: number;
  readonly heapAfterBytes: number;
  /** Rows left at the end, of every table that grows with containers. */
  readonly left: Readonly<Record<string, number>>;
}

/** Containers at a time. */
const LIVING = 64;
/** Each process has a thread id of its own, as long as it lives. */
const TIDS = 20_000;
const LINGER_MS = 20;

export class ContainerChurn {
  private readonly fakes: FakeRuntimes;
  private readonly source: LiveScriptEngine;
  private readonly inspector: Inspector;
  private readonly tracker: ContainerTracker;
  private readonly host: InspectorHost;
  private readonly hub: RuntimeHub;
  private readonly feed: FeedRecorder;
  private readonly waiting: Map<string, () => void>;
  private count: number;
  private execs: number;
  private named: number;

  constructor() {
    this.fakes = new FakeRuntimes();
    this.source = new LiveScriptEngine([{ tid: 1, pid: 1 }]);
    this.waiting = new Map();
    this.count = 0;
    this.execs = 0;
    this.named = 0;
    const engine = new InjectingEngine(this.source);
    let tracker: ContainerTracker | undefined;
    this.inspector = new Inspector(
      new OsState(),
      engine,
      { eventsMax: 1024, bytesMax: 1024 * 1024 },
      {
        onContainerSeen: (fullId, type, tid) => tracker?.onThread(fullId, type, tid),
        onContainerStored: (key) => tracker?.onStored(key),
      },
    );
    const { state, pending, parser, event } = this.inspector;
    const nowMs = () => performance.now();
    tracker = new ContainerTracker(
      { state, pending, parser, target: engine, record: event.record },
      {
        mode: 'ask',
        lookupMs: 5000,
        replayWaitMs: 500,
        lingerMs: LINGER_MS,
        nowMs,
        request: (request) => this.hub.onRequest(request),
      },
    );
    this.tracker = tracker;
    this.host = new InspectorHost(this.inspector, {
      nodeName: 'n',
      captureName: '',
      speed: 0,
      waitSubscribers: 0,
      nowMs,
      containers: tracker,
      hold: { holdMs: 20_000, eventsMax: 65_536, bytesMax: 64 * 1024 * 1024 },
    });
    this.hub = new RuntimeHub(
      {
        hostRoot: this.fakes.node.root,
        isEnabled: true,
        dockerSockets: undefined,
        podmanSockets: [],
        containerdSockets: [],
        criSockets: [],
        lookupTimeoutMs: 10_000,
        callTimeoutMs: 10_000,
      },
      { onUpdates: (updates) => this.host.onContainerUpdates(updates), onStatusChanged: () => undefined },
    );
    this.feed = new FeedRecorder();
  }

  async start(): Promise<void> {
    await this.fakes.listen('docker');
    await this.host.start();
    await this.hub.start();
    await eventually('events', () => this.hub.status().some(({ isWatching }) => isWatching));
    const feed = await this.host.subscribe(
      feedRequest({
        delivery: 'complete',
        filters: [{ id: 0, name: '', condition: 'evt.type = execve' }],
        projection: { kind: 'text', template: '*%proc.name %container.name' },
        batchLatencyMs: 2,
      }),
      this.feed,
    );
    this.feed.onCall = (call) => {
      if (call.kind !== 'batch') return;
      feed.ack(call.size);
      for (const line of call.lines) this.onLine(line);
      this.feed.calls.length = 0;
      this.feed.batches.length = 0;
    };
  }

  /** That many containers come and go. */
  async run(containers: number): Promise<void> {
    let left = containers;
    const live = async () => {
      while (left-- > 0) await this.liveOnce(this.count++);
    };
    await Promise.all(Array.from({ length: LIVING }, live));
  }

  /** Until the last has left. */
  async settle(): Promise<void> {
    await eventually('empty tables', () => this.inspector.state.containers.size === 0);
    await eventually('an empty hub', () => this.hubSize() === 0);
  }

  async stop(): Promise<void> {
    await this.hub.stop();
    await this.host.stop();
    await this.fakes.close();
  }

  left(): Readonly<Record<string, number>> {
    const { state, pending } = this.inspector;
    return {
      containers: state.containers.size,
      users: state.users.size,
      groups: state.groups.size,
      threads: state.threads.size,
      tracked: this.tracker.size,
      pending: pending.count,
      hub: this.hubSize(),
      waiting: this.waiting.size,
    };
  }

  figures(): { readonly execs: number; readonly named: number } {
    return { execs: this.execs, named: this.named };
  }

  private hubSize(): number {
    return this.hub.size - 1;
  }

  private async liveOnce(number: number): Promise<void> {
    const name = `c${number}`;
    const tid = 100 + (number % TIDS);
    const container = fakeContainer({ name, state: 'created', pid: tid });
    const { docker, node } = this.fakes;
    // Its own users, through its own root.
    const root = `${node.root}/proc/${tid}/root/etc`;
    if (number % 50 === 0) {
      mkdirSync(root, { recursive: true });
      node.write(`proc/${tid}/root/etc/passwd`, 'app:x:1000:1000::/:/bin/sh\n');
    }
    docker.create(container);
    const delivered = new Promise<void>((resolve) => this.waiting.set(name, resolve));
    this.source.push(born(tid, container.id), execOf(tid, name));
    docker.start(container.id);
    await delivered;
    this.source.push(ended(tid));
    docker.die(container.id);
    docker.remove(container.id);
    if (number % 50 === 0) rmSync(`${node.root}/proc/${tid}`, { recursive: true, force: true });
  }

  private onLine(line: string): void {
    const [proc = '', name = ''] = line.split(' ');
    this.execs++;
    if (name === proc) this.named++;
    this.waiting.get(proc)?.();
    this.waiting.delete(proc);
  }
}

function execOf(tid: number, comm: string): ReturnType<typeof ended> {
  return {
    code: 'PPME_SYSCALL_EXECVE_19_X',
    tid,
    params: { res: 0, exe: `/bin/${comm}`, tid, pid: tid, ptid: 1, comm, flags: 0 },
  };
}

const ROUNDS = 5;
const COLLECTIONS = 4;
const COLLECTION_WAIT_MS = 50;

/** Runs it whole. `warmUp`: containers that come and go before the heap is measured for the first time. */
export async function churnContainers(containers: number, warmUp: number): Promise<ChurnReport> {
  const churn = new ContainerChurn();
  try {
    await churn.start();
    await churn.run(warmUp);
    await churn.settle();
    const heapBeforeBytes = await heapBytes();
    let ms = 0;
    let heapAfterBytes = Number.POSITIVE_INFINITY;
    // What is kept for a while, such as the past state that was asked about last, is there in one round and not in the next; a leak is
    // there in all.
    for (let round = 0; round < ROUNDS; round++) {
      const startMs = performance.now();
      await churn.run(Math.ceil(containers / ROUNDS));
      ms += performance.now() - startMs;
      await churn.settle();
      heapAfterBytes = Math.min(heapAfterBytes, await heapBytes());
    }
    const { execs, named } = churn.figures();
    return {
      containers: warmUp + ROUNDS * Math.ceil(containers / ROUNDS),
      execs,
      named,
      ms,
      heapBeforeBytes,
      heapAfterBytes,
      left: churn.left(),
    };
  } finally {
    await churn.stop();
  }
}

/** What is left when everything that can be collected was. */
async function heapBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  assert.equal(typeof collect, 'function');
  let least = Number.POSITIVE_INFINITY;
  // What finalizers let go of is collected by a later round: single ones were up to 40 MB apart.
  for (let i = 0; i < COLLECTIONS; i++) {
    collect();
    least = Math.min(least, process.memoryUsage().heapUsed);
    await new Promise((resolve) => setTimeout(resolve, COLLECTION_WAIT_MS));
  }
  return least;
}
