/** Objects of a fake API server with their history, as etcd keeps it: every change has a version, and old ones are forgotten. */
import type { FakeObject } from './fake-kube-objects.ts';

export interface FakeChange {
  readonly version: number;
  readonly root: string;
  readonly before: FakeObject | undefined;
  readonly after: FakeObject | undefined;
}

export class FakeKubeStore {
  version = 100;
  /** Versions before this one are forgotten. */
  oldest = 0;
  readonly history: FakeChange[] = [];
  private readonly byRoot = new Map<string, Map<string, FakeObject>>();
  private readonly listeners = new Set<(change: FakeChange) => void>();

  /** `root`: `/apis/apps/v1/replicasets`, whatever the namespace. */
  values(root: string): Iterable<FakeObject> {
    return this.byRoot.get(root)?.values() ?? [];
  }

  set(root: string, object: FakeObject): FakeObject {
    const version = ++this.version;
    const after = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    const objects = this.byRoot.get(root) ?? new Map<string, FakeObject>();
    this.byRoot.set(root, objects);
    const before = objects.get(keyOf(object));
    objects.set(keyOf(object), after);
    this.tell({ version, root, before, after });
    return after;
  }

  delete(root: string, object: FakeObject): boolean {
    const before = this.byRoot.get(root)?.get(keyOf(object));
    if (before === undefined) return false;
    this.byRoot.get(root)?.delete(keyOf(object));
    this.tell({ version: ++this.version, root, before, after: undefined });
    return true;
  }

  /** Forgets all changes up to now. */
  compact(): void {
    this.oldest = this.version;
    this.history.length = 0;
  }

  onChange(listener: (change: FakeChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private tell(change: FakeChange): void {
    this.history.push(change);
    for (const listener of [...this.listeners]) listener(change);
  }
}

function keyOf({ metadata }: FakeObject): string {
  return `${metadata['namespace'] ?? ''}/${metadata['name']}`;
}
