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
  /** cgroup as /proc/PID/cgroup shows it and the runtime names it, for containers whose id is not in it; '' when unknown. */
  readonly cgroupPath: string;
  /** False until everything its runtime can tell is in the row. */
  readonly isComplete: boolean;
}

/** How containers can be found beside their key: by the id that is shown, or by name. */
export type ContainerIndex = 'id' | 'name';

/** Characters of an id that tells its container wherever it stands in a path. */
const WHOLE_ID_LENGTH = 64;
/** Fewer parts are slices of the host, which hold more than one container. */
const CGROUP_DEPTH_MIN = 2;

export class ContainerTable {
  readonly counters: TableCounters;
  /** Counts changes of what cgroup paths lead to: what was matched before must be matched anew. */
  cgroupGeneration: number;
  private readonly undo: UndoLog;
  private readonly rowsMax: number;
  private readonly rows: Map<string, ContainerRow>;
  /** Keys by shown id, for metadata that names nothing else, and by name; the latest last. */
  private readonly keysById: KeyLists;
  private readonly keysByName: KeyLists;
  /** Keys by cgroup path, of containers that cannot be told by their id in it. */
  private readonly keysByCgroup: Map<string, string>;

  constructor(rowsMax: number, undo: UndoLog) {
    this.counters = new TableCounters();
    this.cgroupGeneration = 0;
    this.undo = undo;
    this.rowsMax = rowsMax;
    this.rows = new Map();
    this.keysById = new KeyLists();
    this.keysByName = new KeyLists();
    this.keysByCgroup = new Map();
  }

  get size(): number {
    return this.rows.size;
  }

  find(id: string): ContainerRow | undefined {
    return this.rows.get(id);
  }

  /** The latest, should several be shown with it. */
  findKeyByShortId(id: string): string | undefined {
    return this.keysById.find(id).at(-1);
  }

  /** Keys of all containers that are shown with this id, or that have this name. */
  findKeys(index: ContainerIndex, text: string): readonly string[] {
    return (index === 'id' ? this.keysById : this.keysByName).find(text);
  }

  /** The container that its runtime says has this cgroup, or the nearest one above it. */
  findByCgroup(path: string): { readonly key: string; readonly path: string } | undefined {
    if (this.keysByCgroup.size === 0) return undefined;
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = path.slice(0, end);
      const key = this.keysByCgroup.get(above);
      if (key !== undefined) return { key, path: above };
    }
    return undefined;
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
    if (old !== undefined) this.unlink(id, old, row);
    this.rows.set(id, row);
    this.keysById.add(row.id, id);
    if (row.name !== '') this.keysByName.add(row.name, id);
    this.linkCgroup(id, row.cgroupPath);
    this.counters.added++;
    return true;
  }

  delete(id: string): boolean {
    const old = this.rows.get(id);
    if (old === undefined) return false;
    if (this.undo.enabled) this.undo.push(this, id, old);
    this.rows.delete(id);
    this.unlink(id, old, undefined);
    this.counters.removed++;
    return true;
  }

  private linkCgroup(id: string, path: string): void {
    if (!path.startsWith('/') || path.split('/').length - 1 < CGROUP_DEPTH_MIN) return;
    if (id.length === WHOLE_ID_LENGTH && path.includes(id)) return;
    if (this.keysByCgroup.get(path) === id) return;
    this.keysByCgroup.set(path, id);
    this.cgroupGeneration++;
  }

  /** Takes the row out of the lists, as far as its successor is not in the same place of them. */
  private unlink(id: string, old: ContainerRow, next: ContainerRow | undefined): void {
    if (old.id !== next?.id) this.keysById.delete(old.id, id);
    if (old.name !== next?.name) this.keysByName.delete(old.name, id);
    if (old.cgroupPath === next?.cgroupPath || this.keysByCgroup.get(old.cgroupPath) !== id) return;
    this.keysByCgroup.delete(old.cgroupPath);
    this.cgroupGeneration++;
  }
}

const NO_KEYS: readonly string[] = [];

/** Keys by a text that several may share, which few do. */
class KeyLists {
  private readonly lists: Map<string, readonly string[]>;

  constructor() {
    this.lists = new Map();
  }

  find(text: string): readonly string[] {
    return this.lists.get(text) ?? NO_KEYS;
  }

  add(text: string, key: string): void {
    const keys = this.find(text);
    if (keys.at(-1) === key) return;
    this.lists.set(text, [...keys.filter((other) => other !== key), key]);
  }

  delete(text: string, key: string): void {
    const keys = this.find(text).filter((other) => other !== key);
    if (keys.length === 0) this.lists.delete(text);
    else this.lists.set(text, keys);
  }
}
