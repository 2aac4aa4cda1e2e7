/** Rows as they were when an event was shown, for the keys that have changed since: what the undo log restores. */
import type { UndoLog, UndoTable } from './undo-log.ts';

export class UndoOverlay {
  private readonly log: UndoLog;
  private readonly tables: Map<UndoTable, Map<unknown, unknown>>;
  private eventNumber: number;
  /** Serials of the log's entries taken in: from `first` up to but without `end`. */
  private first: number;
  private end: number;

  constructor(log: UndoLog) {
    this.log = log;
    this.tables = new Map();
    this.eventNumber = Number.NEGATIVE_INFINITY;
    this.first = 0;
    this.end = 0;
  }

  /** Old rows by key of one table (undefined: there was no row); undefined when none has changed. */
  rowsOf(table: UndoTable): ReadonlyMap<unknown, unknown> | undefined {
    return this.tables.get(table);
  }

  moveTo(eventNumber: number): void {
    if (eventNumber > this.eventNumber) {
      this.tables.clear();
      this.first = this.log.endSerial;
      this.end = this.first;
    }
    this.catchUp();
    this.eventNumber = eventNumber;
    this.goBack();
  }

  /** Takes in entries logged since, all newer than the event: what is there already is older and stays. */
  private catchUp(): void {
    const { log } = this;
    const end = log.endSerial;
    for (let serial = Math.max(this.end, log.firstSerial); serial < end; serial++) {
      const rows = this.rowsFor(log.tableAt(serial));
      const key = log.keyAt(serial);
      if (!rows.has(key)) rows.set(key, log.rowAt(serial));
    }
    this.end = end;
  }

  /** Takes in older entries down to the event; going backwards, an older entry overwrites a newer one. */
  private goBack(): void {
    const { log, eventNumber } = this;
    let serial = this.first - 1;
    for (; serial >= log.firstSerial && log.eventAt(serial) > eventNumber; serial--) {
      this.rowsFor(log.tableAt(serial)).set(log.keyAt(serial), log.rowAt(serial));
    }
    this.first = serial + 1;
  }

  private rowsFor(table: UndoTable): Map<unknown, unknown> {
    let rows = this.tables.get(table);
    if (rows === undefined) {
      rows = new Map();
      this.tables.set(table, rows);
    }
    return rows;
  }
}
