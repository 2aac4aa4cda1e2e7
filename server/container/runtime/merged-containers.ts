/** What all runtimes say of the containers of a node: one row for each, from whoever knows most of it. */
import { hash } from 'node:crypto';
import type { ContainerRow } from '../../state/container-table.ts';
import { containerJsonOf } from '../container-rows.ts';
import type { ContainerUpdate } from '../container-update.ts';
import type { RuntimeContainer, RuntimeKind } from './runtime-client.ts';

/** A runtime that rows come from. */
export interface RowSource {
  readonly kind: RuntimeKind;
  /** Whether it is heard now; what others said last is not held against those who are. */
  readonly isReady: boolean;
  /** A user's own: it counts for that user's containers, unless somebody else knows them. */
  readonly userId: number | undefined;
}

/** How a row was learned: from what a runtime lists or tells by itself, or as an answer, which may be older than the news. */
export type RowOrigin = 'news' | 'answer';

export interface MergeListener {
  onUpdate(update: ContainerUpdate): void;
  /** A container is not followed, as the table is full. */
  onRefused(): void;
  /** Everything is known of this container now; `isFirst`: for the first time since it was made. */
  onComplete(fullId: string, isFirst: boolean): void;
}

export interface MergeParts {
  readonly nowMs: () => number;
  /** Whether such a runtime is there, even if it does not answer now. */
  readonly hasKind: (kind: RuntimeKind) => boolean;
  /** Whether a container is known to be a user's. */
  readonly isOwnedBy: (fullId: string, userId: number) => boolean;
  readonly listener: MergeListener;
}

/** Lower knows better. */
const RANKS: Readonly<Record<RuntimeKind, number>> = { docker: 0, podman: 1, cri: 2, containerd: 3 };
/** After all others. */
const STAND_IN_RANK = 4;
/** Anybody may listen on a socket of their own, and answer first and with everything: never before those who speak for the node. */
const USER_RANK = 5;
/** Containers taken of one user's runtime. */
const USER_CONTAINERS_MAX = 256;

/** Namespaces of containerd whose containers another runtime made, which knows more of them. */
const MAKERS: ReadonlyMap<string, RuntimeKind> = new Map([
  ['moby', 'docker'],
  ['k8s.io', 'cri'],
]);

const CONTAINERS_MAX = 65_536;
/** Containers that have ended and are remembered, as answers about them may still be under way. */
const ENDED_MAX = 4096;
/** What was told so recently may still be on its way: it is the answer to who asks now. */
const ON_THE_WAY_MS = 2000;

interface Sent {
  readonly digest: string;
  readonly isComplete: boolean;
  readonly rank: number;
  readonly atMs: number;
}

interface Entry {
  /** Undefined: it exists, as this runtime says, and nothing more is known. */
  readonly rows: Map<RowSource, RuntimeContainer | undefined>;
  sent: Sent | undefined;
  wasComplete: boolean;
}

interface Choice {
  readonly row: ContainerRow;
  readonly rank: number;
}

export class MergedContainers {
  private readonly parts: MergeParts;
  private readonly entries: Map<string, Entry>;
  private readonly idsBySource: Map<RowSource, Set<string>>;
  /** With what was told of them. The oldest go first. */
  private readonly endedIds: Map<string, Sent | undefined>;

  constructor(parts: MergeParts) {
    this.parts = parts;
    this.entries = new Map();
    this.idsBySource = new Map();
    this.endedIds = new Map();
  }

  /** Containers that exist. */
  get size(): number {
    return this.entries.size;
  }

  /** Containers that have ended and are remembered. */
  get endedSize(): number {
    return this.endedIds.size;
  }

  /** Whether a runtime says that it exists. */
  has(fullId: string): boolean {
    return this.entries.has(fullId);
  }

  ids(): IterableIterator<string> {
    return this.entries.keys();
  }

  idsOf(source: RowSource): ReadonlySet<string> {
    return this.idsBySource.get(source) ?? new Set();
  }

  rowOf(source: RowSource, fullId: string): RuntimeContainer | undefined {
    return this.entries.get(fullId)?.rows.get(source);
  }

  /** Whether everything is known of it, from whoever knows most. */
  isComplete(fullId: string): boolean {
    const entry = this.entries.get(fullId);
    return (entry === undefined ? this.endedIds.get(fullId) : entry.sent)?.isComplete === true;
  }

  hasEnded(fullId: string): boolean {
    return this.endedIds.has(fullId);
  }

  /** It exists (again). */
  exists(source: RowSource, fullId: string): void {
    this.endedIds.delete(fullId);
    const entry = this.mustHave(source, fullId);
    if (entry !== undefined && !entry.rows.has(source)) this.setRow(source, fullId, entry, undefined);
  }

  learn(source: RowSource, container: RuntimeContainer, origin: RowOrigin): void {
    const { fullId } = container.row;
    if (origin === 'answer' && this.endedIds.has(fullId)) {
      this.tellLate(source, container);
      return;
    }
    this.endedIds.delete(fullId);
    const entry = this.mustHave(source, fullId);
    if (entry === undefined) return;
    const old = entry.rows.get(source);
    if (old?.row.isComplete === true && !container.row.isComplete) return;
    this.setRow(source, fullId, entry, container);
    this.tell(fullId, entry);
  }

  /** This runtime says that it has ended, or does not list it any more. */
  ended(source: RowSource, fullId: string): void {
    const entry = this.entries.get(fullId);
    if (entry === undefined) return;
    this.deleteRow(source, fullId, entry);
    for (const other of entry.rows.keys()) {
      if (other.isReady && (source.userId !== undefined || other.userId === undefined)) return;
    }
    this.drop(fullId, entry);
    this.remember(fullId, entry.sent);
    this.parts.listener.onUpdate({ kind: 'gone', fullId });
  }

  /** This runtime is not there any more. */
  forgetSource(source: RowSource): void {
    for (const fullId of [...this.idsOf(source)]) this.ended(source, fullId);
    this.idsBySource.delete(source);
  }

  /** Nobody has its row any more. */
  forget(fullId: string): void {
    this.endedIds.delete(fullId);
    const entry = this.entries.get(fullId);
    if (entry === undefined) return;
    entry.sent = undefined;
    for (const source of entry.rows.keys()) if (source.isReady) return;
    this.drop(fullId, entry);
  }

  /** Tells again what is known of it, unless that is still on its way. Whether everything is known. */
  repeat(fullId: string): boolean {
    const entry = this.entries.get(fullId);
    if (entry === undefined) return false;
    const { sent } = entry;
    if (sent === undefined || this.parts.nowMs() - sent.atMs >= ON_THE_WAY_MS) {
      entry.sent = undefined;
      this.tell(fullId, entry);
    }
    return this.isComplete(fullId);
  }

  /** More is known of whose it is. */
  retell(fullId: string): void {
    const entry = this.entries.get(fullId);
    if (entry !== undefined) this.tell(fullId, entry);
  }

  /** Runtimes have come or gone: what only stood in may be all there is now. */
  reconsider(): void {
    for (const [fullId, entry] of this.entries) if (entry.sent?.isComplete !== true) this.tell(fullId, entry);
  }

  private mustHave(source: RowSource, fullId: string): Entry | undefined {
    let entry = this.entries.get(fullId);
    const isFull =
      source.userId !== undefined &&
      !entry?.rows.has(source) &&
      this.idsOf(source).size >= USER_CONTAINERS_MAX;
    if (entry !== undefined && !isFull) return entry;
    if (isFull || this.entries.size >= CONTAINERS_MAX) {
      this.parts.listener.onRefused();
      return undefined;
    }
    entry = { rows: new Map(), sent: undefined, wasComplete: false };
    this.entries.set(fullId, entry);
    return entry;
  }

  private setRow(
    source: RowSource,
    fullId: string,
    entry: Entry,
    container: RuntimeContainer | undefined,
  ): void {
    entry.rows.set(source, container);
    let ids = this.idsBySource.get(source);
    if (ids === undefined) {
      ids = new Set();
      this.idsBySource.set(source, ids);
    }
    ids.add(fullId);
  }

  private deleteRow(source: RowSource, fullId: string, entry: Entry): void {
    entry.rows.delete(source);
    this.idsBySource.get(source)?.delete(fullId);
  }

  private drop(fullId: string, entry: Entry): void {
    for (const source of [...entry.rows.keys()]) this.deleteRow(source, fullId, entry);
    this.entries.delete(fullId);
  }

  private remember(fullId: string, sent: Sent | undefined): void {
    this.endedIds.delete(fullId);
    this.endedIds.set(fullId, sent);
    if (this.endedIds.size <= ENDED_MAX) return;
    const [oldest] = this.endedIds.keys();
    if (oldest !== undefined) this.endedIds.delete(oldest);
  }

  private tell(fullId: string, entry: Entry): void {
    let best: Choice | undefined;
    for (const [source, container] of entry.rows) {
      const choice = container && this.choiceOf(source, container);
      if (choice !== undefined && (best === undefined || isBetter(choice, best))) best = choice;
    }
    const before = entry.sent;
    if (best !== undefined) entry.sent = this.send(fullId, best, before);
    if (entry.sent?.isComplete !== true || before?.isComplete === true) return;
    const isFirst = !entry.wasComplete;
    entry.wasComplete = true;
    this.parts.listener.onComplete(fullId, isFirst);
  }

  /** An answer about one that has ended meanwhile: its threads may still be looked at. */
  private tellLate(source: RowSource, container: RuntimeContainer): void {
    const { fullId } = container.row;
    const before = this.endedIds.get(fullId);
    const choice = this.choiceOf(source, container);
    const sent = choice === undefined ? before : this.send(fullId, choice, before);
    if (sent === before) return;
    this.endedIds.set(fullId, sent);
    this.parts.listener.onUpdate({ kind: 'gone', fullId });
    if (sent?.isComplete === true && before?.isComplete !== true)
      this.parts.listener.onComplete(fullId, true);
  }

  /** Sends it unless something better, or the same, was sent before. Returns what was sent last. */
  private send(fullId: string, choice: Choice, before: Sent | undefined): Sent | undefined {
    const { row, rank } = choice;
    if (before !== undefined && !isAsGood(choice, before)) return before;
    const json = containerJsonOf(row);
    const digest = hash('sha1', json, 'base64');
    if (before?.digest === digest && before.isComplete === row.isComplete) return before;
    this.parts.listener.onUpdate({ kind: 'found', fullId, json, isComplete: row.isComplete });
    return { digest, isComplete: row.isComplete, rank, atMs: this.parts.nowMs() };
  }

  private choiceOf({ kind, userId }: RowSource, { row, namespace }: RuntimeContainer): Choice | undefined {
    if (userId !== undefined) {
      return this.parts.isOwnedBy(row.fullId, userId) ? { row, rank: USER_RANK } : undefined;
    }
    const maker = namespace === undefined ? undefined : MAKERS.get(namespace);
    if (maker === undefined || !this.parts.hasKind(maker)) return { row, rank: RANKS[kind] };
    return { row: row.isComplete ? { ...row, isComplete: false } : row, rank: STAND_IN_RANK };
  }
}

function isBetter(choice: Choice, than: Choice): boolean {
  if ((choice.rank === USER_RANK) !== (than.rank === USER_RANK)) return than.rank === USER_RANK;
  if (choice.row.isComplete !== than.row.isComplete) return choice.row.isComplete;
  return choice.rank < than.rank;
}

/** Whether it may take the place of what was told. */
function isAsGood(choice: Choice, sent: Sent): boolean {
  if ((choice.rank === USER_RANK) !== (sent.rank === USER_RANK)) return sent.rank === USER_RANK;
  if (choice.row.isComplete !== sent.isComplete) return choice.row.isComplete;
  return choice.rank <= sent.rank;
}
