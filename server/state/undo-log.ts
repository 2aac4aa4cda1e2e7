/**
 * Answers "what did this table hold when event N was shown" without keeping whole versions.
 *
 * Every change of a versioned table is logged as (event number, table, key, old row) while retention is on. A query at
 * event N replays the log backwards from the newest entry to the first one newer than N and so builds an overlay
 * (`UndoOverlay`) of the rows as they were. The cost sits with the rare query; the loop pays one comparison per change.
 */

/** A table whose rows the log can restore. `key` is the table's own key. */
export type UndoTable = object;

export interface UndoLogLimits {
  /** Entries kept; the oldest go first and with them the events that need them. */
  readonly entriesMax: number;
}

export class UndoLog {
  /** False while no event is retained: changes are then not logged. */
  enabled: boolean;
  /** Number of the event being parsed; set by the inspector before parsing. */
  eventNumber: number;
  /** Entries discarded because the log was full. */
  overflowCount: number;
  /** Oldest event that somebody beside the retained ones still asks about: what it needs is not trimmed. Infinity: none. */
  pinnedNumber: number;
  private readonly limits: UndoLogLimits;
  private readonly events: Float64Array;
  private readonly tables: (UndoTable | undefined)[];
  private readonly keys: unknown[];
  private readonly rows: unknown[];
  private head: number;
  private size: number;
  private oldestNumber: number;
  private droppedCount: number;

  constructor(limits: UndoLogLimits) {
    this.enabled = false;
    this.eventNumber = 0;
    this.overflowCount = 0;
    this.pinnedNumber = Number.POSITIVE_INFINITY;
    this.limits = limits;
    this.events = new Float64Array(limits.entriesMax);
    this.tables = new Array<UndoTable | undefined>(limits.entriesMax).fill(undefined);
    this.keys = new Array<unknown>(limits.entriesMax).fill(undefined);
    this.rows = new Array<unknown>(limits.entriesMax).fill(undefined);
    this.head = 0;
    this.size = 0;
    this.oldestNumber = 0;
    this.droppedCount = 0;
  }

  /** Logs that `key` of `table` held `oldRow` (undefined: nothing) before the change now being made. */
  push(table: UndoTable, key: unknown, oldRow: unknown): void {
    const capacity = this.limits.entriesMax;
    if (capacity === 0) return;
    if (this.size === capacity) {
      // The dropped entry is what events older than its own number would need.
      this.oldestNumber = this.events[this.head] as number;
      this.overflowCount++;
      this.droppedCount++;
      this.head = (this.head + 1) % capacity;
      this.size--;
    }
    const at = (this.head + this.size) % capacity;
    this.events[at] = this.eventNumber;
    this.tables[at] = table;
    this.keys[at] = key;
    this.rows[at] = oldRow;
    this.size++;
  }

  /** Entries held now. */
  get entryCount(): number {
    return this.size;
  }

  /** The smallest event number that can still be answered exactly. */
  get oldestAnswerable(): number {
    return this.oldestNumber;
  }

  /** Whether it can remember anything at all. */
  get hasRoom(): boolean {
    return this.limits.entriesMax > 0;
  }

  /** Forgets entries that only events before `eventNumber`, and before the pinned one, would need. */
  trim(eventNumber: number): void {
    const capacity = this.limits.entriesMax;
    const last = Math.min(eventNumber, this.pinnedNumber);
    while (this.size > 0 && (this.events[this.head] as number) <= last) {
      this.tables[this.head] = undefined;
      this.keys[this.head] = undefined;
      this.rows[this.head] = undefined;
      this.head = (this.head + 1) % capacity;
      this.size--;
      this.droppedCount++;
    }
  }

  /** Every entry has a serial number, counted from 0 over the whole life of the log. The one of the oldest entry held. */
  get firstSerial(): number {
    return this.droppedCount;
  }

  /** Serial of the entry that will be logged next. */
  get endSerial(): number {
    return this.droppedCount + this.size;
  }

  /** Number of the event that made the change. `serial` of this and the next is that of an entry held. */
  eventAt(serial: number): number {
    return this.events[this.indexOf(serial)] as number;
  }

  tableAt(serial: number): UndoTable {
    return this.tables[this.indexOf(serial)] as UndoTable;
  }

  keyAt(serial: number): unknown {
    return this.keys[this.indexOf(serial)];
  }

  /** What the key held before the change; undefined: nothing. */
  rowAt(serial: number): unknown {
    return this.rows[this.indexOf(serial)];
  }

  private indexOf(serial: number): number {
    return (this.head + serial - this.droppedCount) % this.limits.entriesMax;
  }
}
