/** A runtime for tests of the hub: containers and news are set by hand, and it fails as told. Time is set by hand, too. */
import { bareContainer } from '../../server/container/container-rows.ts';
import type { HubClock } from '../../server/container/runtime/hub-clock.ts';
import {
  type RuntimeClient,
  type RuntimeContainer,
  RuntimeError,
  type RuntimeEvents,
  type RuntimeFault,
  type RuntimeKind,
} from '../../server/container/runtime/runtime-client.ts';
import type { ContainerRow } from '../../server/state/container-table.ts';

export class ManualHubClock implements HubClock {
  private ms: number;
  private readonly timers: Set<{ readonly atMs: number; readonly callback: () => void }>;

  constructor() {
    this.ms = 1000;
    this.timers = new Set();
  }

  get timerCount(): number {
    return this.timers.size;
  }

  nowMs(): number {
    return this.ms;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.ms + delayMs, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  turn(): Promise<void> {
    return Promise.resolve();
  }

  /** Everything that is due by then happens, and all that follows from it. */
  async advance(ms: number): Promise<void> {
    const endMs = this.ms + ms;
    for (;;) {
      await settle();
      const due = [...this.timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.timers.delete(due);
      this.ms = Math.max(this.ms, due.atMs);
      due.callback();
    }
    this.ms = endMs;
  }
}

/** Lets all promises that can go on do so. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

export function scriptedContainer(
  fullId: string,
  facts: Partial<ContainerRow> = {},
  more: Partial<RuntimeContainer> = {},
): RuntimeContainer {
  const row = { ...bareContainer(fullId, 'docker'), name: fullId, isComplete: true, ...facts };
  return { row, pid: 7, isRunning: true, ...more };
}

type Question = 'connect' | 'list' | 'inspect' | 'peek' | 'watch';

export class ScriptedRuntime implements RuntimeClient {
  readonly kind: RuntimeKind;
  readonly socketPath: string;
  readonly containers: Map<string, RuntimeContainer>;
  /** What fails, and how; `hang` never answers. */
  readonly faults: Map<Question, RuntimeFault | 'hang'>;
  /** Rows of lists hold no more than the name. */
  isListPartial: boolean;
  /** Answers to inspections wait until this is called. */
  held: (() => void)[] | undefined;
  readonly asked: string[];
  concurrent: number;
  concurrentMax: number;
  isClosed: boolean;
  peek: RuntimeClient['peek'];
  private watchers: { readonly events: RuntimeEvents; readonly fail: (error: Error) => void }[];

  constructor(kind: RuntimeKind, socketPath: string) {
    this.kind = kind;
    this.socketPath = socketPath;
    this.containers = new Map();
    this.faults = new Map();
    this.isListPartial = false;
    this.held = undefined;
    this.asked = [];
    this.concurrent = 0;
    this.concurrentMax = 0;
    this.isClosed = false;
    this.peek = undefined;
    this.watchers = [];
  }

  get watcherCount(): number {
    return this.watchers.length;
  }

  countOf(question: string): number {
    return this.asked.filter((one) => one === question).length;
  }

  async connect(): Promise<string> {
    await this.answer('connect', 'connect');
    return `${this.kind} 1.0`;
  }

  async list(): Promise<readonly RuntimeContainer[]> {
    await this.answer('list', 'list');
    const all = [...this.containers.values()];
    return this.isListPartial
      ? all.map((one) => ({ ...one, row: { ...one.row, image: '', isComplete: false } }))
      : all;
  }

  async inspect(fullId: string): Promise<RuntimeContainer | undefined> {
    this.concurrent++;
    this.concurrentMax = Math.max(this.concurrentMax, this.concurrent);
    try {
      await this.answer('inspect', `inspect ${fullId}`);
      const container = this.containers.get(fullId);
      if (this.held !== undefined) await new Promise<void>((resolve) => this.held?.push(resolve));
      return container;
    } finally {
      this.concurrent--;
    }
  }

  async peekInto(fullId: string): Promise<RuntimeContainer | undefined> {
    await this.answer('peek', `peek ${fullId}`);
    const container = this.containers.get(fullId);
    return container && { ...container, row: { ...container.row, image: '', isComplete: false } };
  }

  async watch(events: RuntimeEvents, onReady: () => void, signal: AbortSignal): Promise<void> {
    await this.answer('watch', 'watch');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const watcher = { events, fail: reject };
    this.watchers.push(watcher);
    signal.addEventListener('abort', () => resolve(), { once: true });
    onReady();
    try {
      await promise;
    } finally {
      this.watchers = this.watchers.filter((one) => one !== watcher);
    }
  }

  close(): void {
    this.isClosed = true;
  }

  create(container: RuntimeContainer, early?: RuntimeContainer): void {
    this.containers.set(container.row.fullId, container);
    for (const { events } of this.watchers) events.onCreated(container.row.fullId, early);
  }

  start(fullId: string): void {
    for (const { events } of this.watchers) events.onStarted(fullId);
  }

  end(fullId: string): void {
    this.containers.delete(fullId);
    for (const { events } of this.watchers) events.onEnded(fullId);
  }

  /** The stream of news breaks. */
  disconnect(fault: RuntimeFault = 'unreachable'): void {
    for (const { fail } of this.watchers) fail(new RuntimeError(fault, `${this.socketPath}: broken`));
  }

  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const one of held) one();
  }

  private async answer(question: Question, asked: string): Promise<void> {
    this.asked.push(asked);
    const fault = this.faults.get(question);
    if (fault === 'hang') await new Promise(() => {});
    else if (fault !== undefined) throw new RuntimeError(fault, `${this.socketPath}: ${question} failed`);
  }
}
