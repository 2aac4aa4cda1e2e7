/** Pods of the node, keyed by uid. */
import { TableCounters } from './table-counters.ts';
import type { UndoLog } from './undo-log.ts';

/** An object of the API server that is joined to a pod: an owner, a service. Text is binary strings. */
export interface KubeObject {
  /** `ReplicaSet`, `Deployment`, `DaemonSet`, `StatefulSet`, `Job`, `CronJob`, `ReplicationController`, `Service`, or another owner's kind. */
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: ReadonlyMap<string, string>;
}

/** One pod with everything joined to it. Text is binary strings; absent text is ''. Rows are replaced, never changed. */
export interface PodRow {
  readonly uid: string;
  /** Of a static pod: the uid its cgroups and containers carry, which is not the one of its mirror at the API server; else ''. */
  readonly staticUid: string;
  readonly name: string;
  readonly namespace: string;
  readonly namespaceUid: string;
  readonly namespaceLabels: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** First the primary one. */
  readonly ips: readonly string[];
  readonly nodeName: string;
  readonly isHostNetwork: boolean;
  /** Nearest first: ReplicaSet, then its Deployment. */
  readonly owners: readonly KubeObject[];
  /** Services that select it, by name. */
  readonly services: readonly KubeObject[];
  /** Full ids of its containers, init and ephemeral ones included, as far as the API server says. */
  readonly containerIds: readonly string[];
  /** False until owners, namespace and services have been looked for. */
  readonly isComplete: boolean;
}

export class PodTable {
  readonly counters: TableCounters;
  private readonly undo: UndoLog;
  private readonly rowsMax: number;
  private readonly rows: Map<string, PodRow>;
  private readonly uidsByContainer: Map<string, string>;
  private readonly uidsByStaticUid: Map<string, string>;

  /** `rowsMax`: more are refused and counted. */
  constructor(rowsMax: number, undo: UndoLog) {
    this.counters = new TableCounters();
    this.undo = undo;
    this.rowsMax = rowsMax;
    this.rows = new Map();
    this.uidsByContainer = new Map();
    this.uidsByStaticUid = new Map();
  }

  get size(): number {
    return this.rows.size;
  }

  find(uid: string): PodRow | undefined {
    return this.rows.get(uid);
  }

  /** The key of the pod that cgroups name so. */
  findKey(cgroupUid: string): string | undefined {
    return this.rows.has(cgroupUid) ? cgroupUid : this.uidsByStaticUid.get(cgroupUid);
  }

  /** Uid of the pod that lists this container (full id). */
  findUidByContainer(fullId: string): string | undefined {
    return this.uidsByContainer.get(fullId);
  }

  values(): IterableIterator<PodRow> {
    return this.rows.values();
  }

  set(uid: string, row: PodRow): boolean {
    const old = this.rows.get(uid);
    if (old === undefined && this.rows.size >= this.rowsMax) {
      this.counters.refused++;
      return false;
    }
    if (this.undo.enabled) this.undo.push(this, uid, old);
    this.unlink(uid, old);
    this.rows.set(uid, row);
    for (const id of row.containerIds) this.uidsByContainer.set(id, uid);
    if (row.staticUid !== '') this.uidsByStaticUid.set(row.staticUid, uid);
    this.counters.added++;
    return true;
  }

  delete(uid: string): boolean {
    const old = this.rows.get(uid);
    if (old === undefined) return false;
    if (this.undo.enabled) this.undo.push(this, uid, old);
    this.rows.delete(uid);
    this.unlink(uid, old);
    this.counters.removed++;
    return true;
  }

  private unlink(uid: string, row: PodRow | undefined): void {
    for (const id of row?.containerIds ?? []) {
      if (this.uidsByContainer.get(id) === uid) this.uidsByContainer.delete(id);
    }
    if (row !== undefined && this.uidsByStaticUid.get(row.staticUid) === uid)
      this.uidsByStaticUid.delete(row.staticUid);
  }
}
