import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareContainer } from '../../../server/container/container-rows.ts';
import { ContainerTable } from '../../../server/state/container-table.ts';
import { OsState } from '../../../server/state/os-state.ts';
import { UndoLog } from '../../../server/state/undo-log.ts';

const ID = '0123456789abcdef'.repeat(4);
const OTHER = ID.slice(0, 12).padEnd(64, '0');

function newTable(): ContainerTable {
  return new ContainerTable(100, new UndoLog({ entriesMax: 0 }));
}

test('containers are found by name and by shown id, all of them', () => {
  const table = newTable();
  table.set(ID, { ...bareContainer(ID, 'docker'), name: 'web' });
  table.set(OTHER, { ...bareContainer(OTHER, 'docker'), name: 'web' });
  assert.deepEqual(table.findKeys('name', 'web'), [ID, OTHER]);
  assert.deepEqual(table.findKeys('id', ID.slice(0, 12)), [ID, OTHER]);
  assert.equal(table.findKeyByShortId(ID.slice(0, 12)), OTHER);
  table.set(OTHER, { ...bareContainer(OTHER, 'docker'), name: 'api' });
  assert.deepEqual(table.findKeys('name', 'web'), [ID]);
  assert.deepEqual(table.findKeys('name', 'api'), [OTHER]);
  table.delete(OTHER);
  assert.deepEqual(table.findKeys('name', 'api'), []);
  assert.deepEqual(table.findKeys('id', ID.slice(0, 12)), [ID]);
  assert.deepEqual(table.findKeys('name', ''), []);
});

test('a cgroup leads to the container its runtime names, from any depth below', () => {
  const table = newTable();
  table.set('web', { ...bareContainer('web', 'containerd'), cgroupPath: '/prod/web' });
  const found = { key: 'web', path: '/prod/web' };
  assert.deepEqual(table.findByCgroup('/prod/web'), found);
  assert.deepEqual(table.findByCgroup('/prod/web/init.scope'), found);
  assert.equal(table.findByCgroup('/prod/web2'), undefined);
  assert.equal(table.findByCgroup('/prod'), undefined);
  table.set('web', { ...bareContainer('web', 'containerd'), cgroupPath: '/prod/new' });
  assert.equal(table.findByCgroup('/prod/web'), undefined);
  table.delete('web');
  assert.equal(table.findByCgroup('/prod/new'), undefined);
});

test('cgroups that hold more than a container, or are told by the id in them, are not listed', () => {
  const table = newTable();
  for (const cgroupPath of ['/', '/system.slice', 'relative/path', `/docker/${ID}`]) {
    table.set(ID, { ...bareContainer(ID, 'docker'), cgroupPath });
    assert.equal(table.findByCgroup(cgroupPath), undefined, cgroupPath);
  }
  assert.equal(table.cgroupGeneration, 0);
});

test('what cgroups lead to changes with the rows that name them, not with others', () => {
  const table = newTable();
  const row = { ...bareContainer('web', 'containerd'), cgroupPath: '/prod/web' };
  table.set('web', row);
  const before = table.cgroupGeneration;
  table.set('web', { ...row, name: 'w', isComplete: true });
  assert.equal(table.cgroupGeneration, before);
  table.delete('web');
  assert.notEqual(table.cgroupGeneration, before);
});

test('names and short ids of an earlier event lead to what they led to then', () => {
  const state = new OsState();
  state.undo.enabled = true;
  const short = ID.slice(0, 12);
  state.undo.eventNumber = 1;
  state.containers.set(ID, { ...bareContainer(ID, 'docker'), name: 'web' });
  state.undo.eventNumber = 2;
  state.containers.set(ID, { ...bareContainer(ID, 'docker'), name: 'api' });
  state.containers.set(OTHER, { ...bareContainer(OTHER, 'docker'), name: 'web' });
  assert.deepEqual(state.asOf(1)?.findContainerKeys('name', 'web'), [ID]);
  assert.deepEqual(state.asOf(1)?.findContainerKeys('name', 'api'), []);
  assert.deepEqual(state.asOf(1)?.findContainerKeys('id', short), [ID]);
  assert.deepEqual(state.asOf(0)?.findContainerKeys('name', 'web'), []);
  assert.deepEqual(state.findContainerKeys('name', 'web'), [OTHER]);
  assert.deepEqual(state.findContainerKeys('id', short), [ID, OTHER]);
});
