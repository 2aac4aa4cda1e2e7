/** Keeps what a pod source tells, as state would, and watches over its manners. */
import assert from 'node:assert/strict';
import { parseJson } from '../../server/container/container-json.ts';
import { podRowOf } from '../../server/kubernetes/pod-rows.ts';
import type { PodUpdate } from '../../server/kubernetes/pod-update.ts';
import type { PodRow } from '../../server/state/pod-table.ts';
import type { ExpectedPod } from './kube-expected-rows.ts';

export class PodFollower {
  readonly rows = new Map<string, PodRow>();
  /** Every update but `synced`. */
  updateCount = 0;
  syncedCount = 0;
  statusChanges = 0;
  private readonly jsons = new Map<string, string>();

  onUpdates(updates: readonly PodUpdate[]): void {
    assert.notEqual(updates.length, 0);
    for (const update of updates) this.onUpdate(update);
  }

  onStatusChanged(): void {
    this.statusChanges++;
  }

  /** As `expectedRows` has them. */
  shown(): Record<string, ExpectedPod> {
    return Object.fromEntries([...this.rows].map(([uid, row]) => [uid, shownRow(row)]));
  }

  isComplete(): boolean {
    return [...this.rows.values()].every(({ isComplete }) => isComplete);
  }

  private onUpdate(update: PodUpdate): void {
    if (update.kind === 'synced') {
      this.syncedCount++;
      return;
    }
    this.updateCount++;
    if (update.kind === 'gone') {
      assert.ok(this.rows.delete(update.uid), `told that ${update.uid} is gone, which was never there`);
      this.jsons.delete(update.uid);
      return;
    }
    assert.notEqual(this.jsons.get(update.uid), update.json, 'told twice');
    this.jsons.set(update.uid, update.json);
    const row = podRowOf(parseJson(update.json) ?? {});
    assert.ok(row !== undefined && row.uid === update.uid && row.isComplete === update.isComplete);
    this.rows.set(row.uid, row);
  }
}

function shownRow(row: PodRow): ExpectedPod {
  const objects = (list: PodRow['owners']) =>
    list.map(({ kind, name, uid, labels }) => ({ kind, name, uid, labels: Object.fromEntries(labels) }));
  return {
    name: row.name,
    namespace: row.namespace,
    namespaceUid: row.namespaceUid,
    namespaceLabels: Object.fromEntries(row.namespaceLabels),
    labels: Object.fromEntries(row.labels),
    annotations: Object.fromEntries(row.annotations),
    owners: objects(row.owners),
    services: objects(row.services),
    ips: row.ips,
    containerIds: row.containerIds,
  };
}
