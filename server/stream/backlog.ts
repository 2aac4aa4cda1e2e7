/**
 * What waits for one client, in order: batches, gaps where batches were dropped, and control messages. A linked list, so
 * that a batch anywhere can become a gap and merge with its neighbours.
 */
import type { FeedBatch, FeedCompletion } from '../inspector/event-feed.ts';
import { type Gap, gapOfBatch, mergeGaps } from './gap.ts';

/** Control messages are encoded when they are sent, so that they tell what is true then. */
export type Encode = () => Uint8Array;

export type BacklogItem =
  | { readonly kind: 'batch'; readonly batch: FeedBatch }
  | { readonly kind: 'completion'; readonly completion: FeedCompletion }
  | { readonly kind: 'gap'; readonly gap: Gap }
  | { readonly kind: 'control'; readonly encode: Encode };

interface Node {
  item: BacklogItem;
  previous: Node | undefined;
  next: Node | undefined;
}

export class Backlog {
  /** Bytes of the batches and completions waiting. */
  bytes: number;
  private head: Node | undefined;
  private tail: Node | undefined;
  private heartbeat: Node | undefined;

  constructor() {
    this.bytes = 0;
    this.head = undefined;
    this.tail = undefined;
    this.heartbeat = undefined;
  }

  get isEmpty(): boolean {
    return this.head === undefined;
  }

  pushBatch(batch: FeedBatch): void {
    this.bytes += batch.bytes.byteLength;
    this.link({ kind: 'batch', batch });
  }

  pushCompletion(completion: FeedCompletion): void {
    this.bytes += completion.bytes.byteLength;
    this.link({ kind: 'completion', completion });
  }

  /** Adds a gap, merged with the one before it where possible. */
  pushGap(gap: Gap): void {
    const { tail } = this;
    const merged = tail?.item.kind === 'gap' ? mergeGaps(tail.item.gap, gap) : undefined;
    if (tail !== undefined && merged !== undefined) tail.item = { kind: 'gap', gap: merged };
    else this.link({ kind: 'gap', gap });
  }

  pushControl(encode: Encode): void {
    this.link({ kind: 'control', encode });
  }

  /** Adds a heartbeat and forgets the one that still waits: only the newest says anything. */
  pushHeartbeat(encode: Encode): void {
    if (this.heartbeat !== undefined) this.unlink(this.heartbeat);
    this.heartbeat = this.link({ kind: 'control', encode });
  }

  /** Takes the oldest item out. */
  shift(): BacklogItem | undefined {
    const { head } = this;
    if (head === undefined) return undefined;
    this.unlink(head);
    this.bytes -= bytesOf(head.item);
    return head.item;
  }

  /** Takes out the oldest completion; whether there was one. It leaves no gap: its events are told apart by their marks. */
  dropOldestCompletion(): boolean {
    let node = this.head;
    while (node !== undefined && node.item.kind !== 'completion') node = node.next;
    if (node === undefined) return false;
    this.bytes -= bytesOf(node.item);
    this.unlink(node);
    if (node.next !== undefined) this.mergeWithPrevious(node.next);
    return true;
  }

  /** Turns the oldest batch into a gap at its place. Returns the events lost; 0 when no batch waits. */
  dropOldestBatch(): number {
    let node = this.head;
    while (node !== undefined && node.item.kind !== 'batch') node = node.next;
    if (node === undefined || node.item.kind !== 'batch') return 0;
    const { batch } = node.item;
    this.bytes -= batch.bytes.byteLength;
    node.item = { kind: 'gap', gap: gapOfBatch(batch) };
    this.mergeWithPrevious(node);
    if (node.next !== undefined) this.mergeWithPrevious(node.next);
    return batch.count;
  }

  clear(): void {
    this.bytes = 0;
    this.head = undefined;
    this.tail = undefined;
    this.heartbeat = undefined;
  }

  private mergeWithPrevious(node: Node): void {
    const { previous } = node;
    if (previous?.item.kind !== 'gap' || node.item.kind !== 'gap') return;
    const merged = mergeGaps(previous.item.gap, node.item.gap);
    if (merged === undefined) return;
    node.item = { kind: 'gap', gap: merged };
    this.unlink(previous);
  }

  private link(item: BacklogItem): Node {
    const node: Node = { item, previous: this.tail, next: undefined };
    if (this.tail === undefined) this.head = node;
    else this.tail.next = node;
    this.tail = node;
    return node;
  }

  private unlink(node: Node): void {
    if (node.previous === undefined) this.head = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) this.tail = node.previous;
    else node.next.previous = node.previous;
    if (this.heartbeat === node) this.heartbeat = undefined;
  }
}

/** What an item takes of the room there is. */
function bytesOf(item: BacklogItem): number {
  if (item.kind === 'batch') return item.batch.bytes.byteLength;
  return item.kind === 'completion' ? item.completion.bytes.byteLength : 0;
}
