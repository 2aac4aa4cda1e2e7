/** Containers known on the node, keyed by full id. */
import { TableCounters } from './table-counters.ts';
import type { UndoLog } from './undo-log.ts';

export interface ContainerMount {
  readonly source: string;
  readonly destination: string;
  readonly mode: string;
  readonly rdwr: boolean;
  readonly propagation: string;
}

/** A command that a runtime or kubelet runs in a container from time to time to see whether it is well. */
export interface HealthProbe {
  readonly exe: string;
  readonly args: readonly string[];
}

/** One container. Text is binary strings; absent text is ''. Rows are replaced, never changed. */
export interface ContainerRow {
  /** Id as `container.id` shows it (12 characters). */
  readonly id: string;
  /** As the metadata says it; '' when it names only the short one. Rows are keyed by the full id all the same. */
  readonly fullId: string;
  /** Engine word as `container.type` shows it: docker, podman, containerd, cri-o, ... */
  readonly type: string;
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  readonly imageRepository: string;
  readonly imageTag: string;
  readonly imageDigest: string;
  readonly isPrivileged: boolean;
  readonly hostPid: boolean;
  readonly hostNetwork: boolean;
  readonly hostIpc: boolean;
  readonly ip: string;
  readonly cniJson: string;
  readonly mounts: readonly ContainerMount[];
  readonly labels: ReadonlyMap<string, string>;
  readonly env: readonly string[];
  readonly podSandboxId: string;
  readonly podSandboxLabels: ReadonlyMap<string, string>;
  readonly podSandboxCniJson: string;
  readonly isPodSandbox: boolean;
  /** Epoch ns; 0n when unknown. */
  readonly createdTimeNs: bigint;
  /** Health check of the container itself, and the exec probes that its pod has for it; undefined when there is none. */
  readonly healthcheck: HealthProbe | undefined;
  readonly livenessProbe: HealthProbe | undefined;
  readonly readinessProbe: HealthProbe | undefined;
  /** cgroup as the runtime names it, for containers whose id is not in it; '' when unknown. */
  readonly cgroupPath: string;
  /** False until everything its runtime can tell is in the row. */
  readonly isComplete: boolean;
}

export class ContainerTable {
  readonly counters: TableCounters;
  private readonly undo: UndoLog;
  private readonly rowsMax: number;
  private readonly rows: Map<string, ContainerRow>;
  /** Key by shown id, for metadata that names nothing else. */
  private readonly keysByShortId: Map<string, string>;

  constructor(rowsMax: number, undo: UndoLog) {
    this.counters = new TableCounters();
    this.undo = undo;
    this.rowsMax = rowsMax;
    this.rows = new Map();
    this.keysByShortId = new Map();
  }

  get size(): number {
    return this.rows.size;
  }

  find(id: string): ContainerRow | undefined {
    return this.rows.get(id);
  }

  findKeyByShortId(id: string): string | undefined {
    return this.keysByShortId.get(id);
  }

  values(): IterableIterator<ContainerRow> {
    return this.rows.values();
  }

  /** `[key, row]` of every container. */
  entries(): IterableIterator<[string, ContainerRow]> {
    return this.rows.entries();
  }

  set(id: string, row: ContainerRow): boolean {
    const old = this.rows.get(id);
    if (old === undefined && this.rows.size >= this.rowsMax) {
      this.counters.refused++;
      return false;
    }
    if (this.undo.enabled) this.undo.push(this, id, old);
    this.rows.set(id, row);
    this.keysByShortId.set(row.id, id);
    this.counters.added++;
    return true;
  }

  delete(id: string): boolean {
    const old = this.rows.get(id);
    if (old === undefined) return false;
    if (this.undo.enabled) this.undo.push(this, id, old);
    this.rows.delete(id);
    if (this.keysByShortId.get(old.id) === id) this.keysByShortId.delete(old.id);
    this.counters.removed++;
    return true;
  }
}
