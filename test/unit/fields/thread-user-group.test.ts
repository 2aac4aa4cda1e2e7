import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EVENT_TABLE } from '../../../server/event/event-table.ts';
import { PPME_PROCINFO_E } from '../../../server/event/event-types.ts';
import type { FieldValue } from '../../../server/fields/field.ts';
import { bindField } from '../../../server/fields/field-reference.ts';
import { EventContext } from '../../helpers/event-context.ts';

const context = new EventContext();
const thread = context.process(1000, 'bash');

function get(field: string, code = 'PPME_SYSCALL_CLOSE_X'): FieldValue {
  return bindField(field).extract(context.show(code));
}

test('capabilities are named in their order', () => {
  assert.equal(get('thread.cap_permitted'), '');
  thread.capPermitted = 0x3;
  thread.capEffective = 2n ** 40n;
  assert.equal(get('thread.cap_permitted'), 'CAP_CHOWN CAP_DAC_OVERRIDE');
  assert.equal(get('thread.cap_effective'), 'CAP_CHECKPOINT_RESTORE');
});

test('cgroups print whole or by subsystem', () => {
  assert.equal(get('thread.cgroups'), undefined);
  thread.cgroups = [
    ['cpu', '/a'],
    ['name=systemd', '/b'],
    ['', '/unified'],
  ];
  assert.equal(get('thread.cgroups'), 'cpu=/a name=systemd=/b');
  assert.equal(get('thread.cgroup.cpu'), '/a');
  assert.equal(get('thread.cgroup[name=systemd]'), '/b');
  assert.equal(get('thread.cgroup[memory]'), undefined);
});

test('ids, memory and cpu shares of a thread', () => {
  thread.vmsizeKb = 4;
  assert.equal(get('thread.tid'), 1000);
  assert.equal(get('thread.vtid'), undefined);
  assert.equal(get('thread.nametid'), 'bash1000');
  assert.equal(get('thread.vmsize'), 4);
  assert.equal(get('thread.vmsize.b'), 4096);
  assert.equal(get('thread.cpu'), undefined);
  assert.equal(get('thread.cpu', EVENT_TABLE[PPME_PROCINFO_E]?.code), 0);
});

test('user and group names: of the container, else <NA>; root is always known', () => {
  thread.uid = 0;
  thread.gid = 0;
  assert.equal(get('user.name'), 'root');
  assert.equal(get('user.homedir'), '/root');
  assert.equal(get('user.shell'), '<NA>');
  assert.equal(get('group.name'), 'root');
  thread.uid = 5;
  thread.gid = 6;
  assert.equal(get('user.name'), '<NA>');
  assert.equal(get('group.name'), '<NA>');
  context.state.users.set('', 5, { uid: 5, gid: 6, name: 'host', homedir: '/h', shell: '/s' });
  context.state.groups.set('', 6, { gid: 6, name: 'hosts' });
  assert.equal(get('user.name'), 'host');
  assert.equal(get('group.name'), 'hosts');
  thread.containerId = 'c1';
  context.state.isLive = true;
  assert.equal(get('user.name'), '<NA>');
  assert.equal(get('group.name'), '<NA>');
  // Captures of others bring no users of containers.
  context.state.isLive = false;
  assert.equal(get('user.name'), 'host');
  assert.equal(get('group.name'), 'hosts');
  context.state.isLive = true;
  context.state.users.set('c1', 5, { uid: 5, gid: 6, name: 'inner', homedir: '', shell: '' });
  context.state.groups.set('c1', 6, { gid: 6, name: 'inners' });
  assert.equal(get('user.name'), 'inner');
  assert.equal(get('user.homedir'), '');
  assert.equal(get('group.name'), 'inners');
  thread.containerId = '';
});

test('an unset login user is -1 and <NA>', () => {
  assert.equal(get('user.loginuid'), -1);
  assert.equal(get('user.loginname'), '<NA>');
  thread.loginuid = 5;
  assert.equal(get('user.loginuid'), 5);
  assert.equal(get('user.loginname'), 'host');
});

test('who logged in is a user of the container, or of the host whence he came', () => {
  thread.loginuid = 7;
  thread.containerId = 'c1';
  context.state.users.set('', 7, { uid: 7, gid: 7, name: 'alice', homedir: '', shell: '' });
  assert.equal(get('user.loginname'), 'alice');
  context.state.users.set('c1', 7, { uid: 7, gid: 7, name: 'node', homedir: '', shell: '' });
  assert.equal(get('user.loginname'), 'node');
  thread.containerId = '';
});
