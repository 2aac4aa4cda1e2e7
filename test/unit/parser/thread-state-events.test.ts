import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParserHarness } from '../../helpers/parser-harness.ts';

function withThread(): ParserHarness {
  const harness = new ParserHarness();
  harness.load({ tid: 1, ptid: 0 }, { tid: 1000, cwd: '/home' }, { tid: 1001, pid: 1000 });
  return harness;
}

test('directory calls move the process', () => {
  const harness = withThread();
  const cwd = () => harness.thread(1000).cwd;
  harness.send('PPME_SYSCALL_CHDIR_X', { res: 0, path: 'a/b' });
  assert.equal(cwd(), '/home/a/b/');
  harness.send('PPME_SYSCALL_CHDIR_X', { res: -2, path: '/nowhere' });
  assert.equal(cwd(), '/home/a/b/');
  harness.send('PPME_SYSCALL_OPEN_X', { fd: 3, name: '/srv', flags: 1024 });
  harness.send('PPME_SYSCALL_FCHDIR_X', { res: 0, fd: 3 });
  assert.equal(cwd(), '/srv/');
  harness.send('PPME_SYSCALL_GETCWD_X', { res: 5, path: '/real' });
  assert.equal(cwd(), '/real/');
});

test('chroot resolves the new root', () => {
  const harness = withThread();
  harness.send('PPME_SYSCALL_CHROOT_X', { res: 0, path: 'jail' });
  assert.equal(harness.thread(1000).root, '/home/jail');
});

test('uid and gid calls set the effective id of the thread', () => {
  const harness = withThread();
  harness.send('PPME_SYSCALL_SETUID_X', { res: 0, uid: 5 });
  assert.equal(harness.thread(1000).uid, 5);
  harness.send('PPME_SYSCALL_SETRESUID_X', { res: 0, ruid: 1, euid: 6, suid: 3 });
  assert.equal(harness.thread(1000).uid, 6);
  harness.send('PPME_SYSCALL_SETREGID_X', { res: 0, rgid: 1, egid: 7 });
  assert.equal(harness.thread(1000).gid, 7);
  harness.send('PPME_SYSCALL_SETGID_X', { res: -1, gid: 9 });
  assert.equal(harness.thread(1000).gid, 7);
});

test('a user namespace gives all capabilities', () => {
  const harness = withThread();
  harness.send('PPME_SYSCALL_CAPSET_X', { res: 0, cap_inheritable: 1, cap_permitted: 2, cap_effective: 3 });
  assert.equal(harness.thread(1000).capEffective, 3);
  harness.send('PPME_SYSCALL_UNSHARE_X', { res: 0, flags: 64 });
  assert.equal(harness.thread(1000).capEffective, 3);
  harness.send('PPME_SYSCALL_UNSHARE_X', { res: 0, flags: 1 << 20 });
  assert.equal(harness.thread(1000).capEffective, 0x1ffffffffff);
});

test('setsid starts a session', () => {
  const harness = withThread();
  harness.send('PPME_SYSCALL_SETSID_X', { res: 1000 });
  assert.equal(harness.thread(1000).sid, 1000);
});

test("the fd limit is the process's, whichever thread sets it", () => {
  const harness = withThread();
  harness.send('PPME_SYSCALL_SETRLIMIT_X', { res: 0, cur: 99, max: 99, resource: 7 }, { tid: 1001 });
  assert.equal(harness.thread(1000).fdlimit, 99);
  harness.send('PPME_SYSCALL_SETRLIMIT_X', { res: 0, cur: 1, max: 1, resource: 3 });
  assert.equal(harness.thread(1000).fdlimit, 99);
  const other = { res: 0, newcur: 50, newmax: 50, oldcur: 0, oldmax: 0, pid: 1001, resource: 7 };
  harness.send('PPME_SYSCALL_PRLIMIT_X', other, { tid: 1 });
  assert.equal(harness.thread(1000).fdlimit, 50);
  harness.send('PPME_SYSCALL_PRLIMIT_X', { ...other, newcur: -1 });
  assert.equal(harness.thread(1000).fdlimit, 50);
});

test('memory calls and switches update the sizes', () => {
  const harness = withThread();
  harness.send('PPME_SYSCALL_BRK_4_X', { res: 1, vm_size: 10, vm_rss: 11, vm_swap: 12 }, { tid: 1001 });
  assert.equal(harness.thread(1001).vmsizeKb, 10);
  harness.send(
    'PPME_SCHEDSWITCH_6_E',
    { next: 1, pgft_maj: 1, pgft_min: 2, vm_size: 20, vm_rss: 21, vm_swap: 22 },
    { tid: 1001 },
  );
  assert.equal(harness.thread(1001).pfminor, 2);
  assert.equal(harness.thread(1000).vmrssKb, 21);
});

test('a switch to an unknown thread makes no row', () => {
  const harness = withThread();
  const event = harness.send('PPME_SCHEDSWITCH_6_E', { next: 1 }, { tid: 0 });
  assert.equal(event.thread, undefined);
  assert.equal(harness.state.threads.find(0), undefined);
});

test('users and groups are kept per container and updated', () => {
  const harness = withThread();
  const user = { uid: 5, gid: 6, name: 'peer', home: '/h', shell: '/sh', container_id: '' };
  const event = harness.send('PPME_USER_ADDED_E', user, { tid: -1 });
  assert.equal(event.thread, undefined);
  assert.equal(harness.state.findUser('', 5)?.name, 'peer');
  harness.send('PPME_USER_ADDED_E', { ...user, name: 'renamed' });
  assert.equal(harness.state.findUser('', 5)?.name, 'renamed');
  harness.send('PPME_USER_DELETED_E', user);
  assert.equal(harness.state.findUser('', 5), undefined);
  harness.send('PPME_GROUP_ADDED_E', { gid: 6, name: 'group', container_id: 'abc' });
  assert.equal(harness.state.findGroup('abc', 6)?.name, 'group');
  harness.send('PPME_GROUP_DELETED_E', { gid: 6, name: 'group', container_id: 'abc' });
  assert.equal(harness.state.findGroup('abc', 6), undefined);
});
