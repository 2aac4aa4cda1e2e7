/** Enter records kept per thread until the exit record arrives. Bounded in threads and bytes; the oldest give way. */

export interface StoredEntersLimits {
  readonly threadsMax: number;
  readonly bytesMax: number;
}

const DEFAULT_STORED_ENTERS_LIMITS: StoredEntersLimits = {
  threadsMax: 131_072,
  bytesMax: 33_554_432,
};

const TWO_32 = 4294967296;
const SLOT_BYTES_MIN = 128;

/** One thread's slot, reused for all of its enter records. */
export class StoredEnter {
  bytes: Buffer;
  view: DataView;
  /** Type of the record held; -1 when none is. */
  type: number;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.view = new DataView(this.bytes.buffer);
    this.type = -1;
  }

  /** The record has been used. */
  release(): void {
    this.type = -1;
  }
}

export class StoredEnters {
  /** Records thrown out because there were too many. */
  evicted: number;
  private readonly limits: StoredEntersLimits;
  private readonly slots: Map<number, StoredEnter>;
  private bytesHeld: number;

  constructor(limits: StoredEntersLimits = DEFAULT_STORED_ENTERS_LIMITS) {
    this.evicted = 0;
    this.limits = limits;
    this.slots = new Map();
    this.bytesHeld = 0;
  }

  get size(): number {
    return this.slots.size;
  }

  clear(): void {
    this.slots.clear();
    this.bytesHeld = 0;
  }

  /** Keeps a copy of the record at `offset`; an earlier one of the thread belonged to a call that is over. */
  put(bytes: Buffer, view: DataView, offset: number): void {
    const length = view.getUint32(offset + 16, true);
    const tid = tidOf(view, offset);
    let slot = this.slots.get(tid);
    if (slot === undefined || slot.bytes.length < length) {
      if (slot !== undefined) this.drop(tid, slot);
      slot = new StoredEnter(Math.max(SLOT_BYTES_MIN, length));
      this.slots.set(tid, slot);
      this.bytesHeld += slot.bytes.length;
      this.makeRoom();
    }
    for (let i = 0; i < length; i++) slot.bytes[i] = bytes[offset + i] as number;
    slot.type = view.getUint16(offset + 20, true);
  }

  /**
   * The stored record of the thread of the record at `offset`, if it is of type `type`. One of another type is forgotten:
   * its exit was lost, and it must not be taken for that of a later call.
   */
  find(view: DataView, offset: number, type: number): StoredEnter | undefined {
    const slot = this.slots.get(tidOf(view, offset));
    if (slot === undefined || slot.type < 0) return undefined;
    if (slot.type === type) return slot;
    slot.type = -1;
    return undefined;
  }

  private drop(tid: number, slot: StoredEnter): void {
    this.slots.delete(tid);
    this.bytesHeld -= slot.bytes.length;
  }

  private makeRoom(): void {
    while (this.slots.size > this.limits.threadsMax || this.bytesHeld > this.limits.bytesMax) {
      const oldest = this.slots.entries().next();
      // The slot just made is the youngest: never throw that one out.
      if (oldest.done || this.slots.size === 1) return;
      this.drop(oldest.value[0], oldest.value[1]);
      this.evicted++;
    }
  }
}

function tidOf(view: DataView, offset: number): number {
  return view.getInt32(offset + 12, true) * TWO_32 + view.getUint32(offset + 8, true);
}
