/** Users and groups of the host (container id '') and of containers. */
import { TableCounters } from './table-counters.ts';
import type { UndoLog } from './undo-log.ts';

export interface UserRow {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly homedir: string;
  readonly shell: string;
}

export interface GroupRow {
  readonly gid: number;
  readonly name: string;
}

const NO_ROWS: ReadonlyMap<number, never> = new Map<number, never>();

/** Rows by container id, then by numeric id. Text is binary strings. */
export class IdentityTable<Row> {
  readonly counters: TableCounters;
  private readonly undo: UndoLog;
  private readonly rowsMax: number;
  private readonly containers: Map<string, Map<number, Row>>;
  private count: number;

  /** `rowsMax`: rows over all containers; more are refused and counted. */
  constructor(rowsMax: number, undo: UndoLog) {
    this.counters = new TableCounters();
    this.undo = undo;
    this.rowsMax = rowsMax;
    this.containers = new Map();
    this.count = 0;
  }

  get size(): number {
    return this.count;
  }

  find(containerId: string, id: number): Row | undefined {
    return this.containers.get(containerId)?.get(id);
  }

  /** `[container id, id, row]` of every row. */
  *entries(): IterableIterator<[string, number, Row]> {
    for (const [containerId, rows] of this.containers) {
      for (const [id, row] of rows) yield [containerId, id, row];
    }
  }

  set(containerId: string, id: number, row: Row): boolean {
    let rows = this.containers.get(containerId);
    const old = rows?.get(id);
    if (old === undefined) {
      if (this.count >= this.rowsMax) {
        this.counters.refused++;
        return false;
      }
      this.count++;
    }
    if (rows === undefined) {
      rows = new Map();
      this.containers.set(containerId, rows);
    }
    if (this.undo.enabled) this.undo.push(this, `${containerId}\0${id}`, old);
    rows.set(id, row);
    this.counters.added++;
    return true;
  }

  delete(containerId: string, id: number): boolean {
    const rows = this.containers.get(containerId);
    const old = rows?.get(id);
    if (rows === undefined || old === undefined) return false;
    if (this.undo.enabled) this.undo.push(this, `${containerId}\0${id}`, old);
    rows.delete(id);
    if (rows.size === 0) this.containers.delete(containerId);
    this.count--;
    this.counters.removed++;
    return true;
  }

  /** Rows of one container (the host: '') by id. */
  rowsOf(containerId: string): ReadonlyMap<number, Row> {
    return this.containers.get(containerId) ?? NO_ROWS;
  }

  deleteContainer(containerId: string): void {
    for (const id of [...this.rowsOf(containerId).keys()]) this.delete(containerId, id);
  }

  /** Puts all rows of one container id under another, which wins where both have a row. */
  moveContainer(from: string, to: string): void {
    const rows = from === to ? undefined : this.containers.get(from);
    if (rows === undefined) return;
    for (const [id, row] of [...rows]) {
      this.delete(from, id);
      if (this.find(to, id) === undefined) this.set(to, id, row);
    }
  }
}

export type UserTable = IdentityTable<UserRow>;
export type GroupTable = IdentityTable<GroupRow>;
