/** What must hold of every container row, whoever made it of whatever. */
import assert from 'node:assert/strict';
import { parseJson } from '../../server/container/container-json.ts';
import { containerJsonOf, storeContainer } from '../../server/container/container-rows.ts';
import { fittedRow, isFit } from '../../server/container/fitted-row.ts';
import { type ContainerRow, ContainerTable } from '../../server/state/container-table.ts';
import { UndoLog } from '../../server/state/undo-log.ts';

/** Texts are bytes, members have their types. */
export function checkRow(row: ContainerRow): void {
  const texts = [
    row.id,
    row.fullId,
    row.type,
    row.name,
    row.image,
    row.imageId,
    row.imageRepository,
    row.imageTag,
  ];
  texts.push(
    row.imageDigest,
    row.ip,
    row.cniJson,
    row.podSandboxId,
    row.podSandboxCniJson,
    row.cgroupPath,
    ...row.env,
  );
  for (const mount of row.mounts) texts.push(mount.source, mount.destination, mount.mode, mount.propagation);
  for (const [name, value] of [...row.labels, ...row.podSandboxLabels]) texts.push(name, value);
  for (const probe of [row.healthcheck, row.livenessProbe, row.readinessProbe]) {
    if (probe !== undefined) texts.push(probe.exe, ...probe.args);
  }
  for (const text of texts) {
    assert.equal(typeof text, 'string');
    assert.equal(Buffer.from(text, 'latin1').latin1Slice(), text, 'a text that is no bytes');
  }
  for (const flag of [
    row.isPrivileged,
    row.hostPid,
    row.hostNetwork,
    row.hostIpc,
    row.isPodSandbox,
    row.isComplete,
  ]) {
    assert.equal(typeof flag, 'boolean');
  }
  for (const mount of row.mounts) assert.equal(typeof mount.rdwr, 'boolean');
  assert.equal(typeof row.createdTimeNs, 'bigint');
  assert.ok(row.createdTimeNs >= 0n && row.createdTimeNs < 1n << 64n, `${row.createdTimeNs}`);
}

/** What is told to the inspector can be read there, and says the same of the container. */
export function checkCrossing(row: ContainerRow): void {
  const json = parseJson(containerJsonOf(row));
  assert.ok(json !== undefined, 'JSON that cannot be read');
  const table = new ContainerTable(10, new UndoLog({ entriesMax: 0 }));
  const key = storeContainer(table, json);
  if (row.id === '') return;
  assert.ok(key !== undefined, 'JSON of no container');
  const crossed = table.find(key);
  assert.ok(crossed !== undefined);
  checkRow(crossed);
  if (!row.isComplete) return;
  const told = isFit(row) ? row : fittedRow(row);
  assert.deepEqual(
    [crossed.id, crossed.name, crossed.image, sorted(crossed.labels), crossed.env, crossed.mounts.length],
    [told.id, told.name, told.image, sorted(told.labels), told.env, told.mounts.length],
  );
}

/** Labels have no order of their own: a JSON object puts names that look like numbers first. */
function sorted(labels: ReadonlyMap<string, string>): [string, string][] {
  return [...labels].sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
}
