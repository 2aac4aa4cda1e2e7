/** Which processes of a container are its health check or a probe of its pod. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareContainer, containerJsonOf } from '../../../server/container/container-rows.ts';
import { CL_CHILD_IN_PIDNS } from '../../../server/event/flag-tables.ts';
import {
  CATEGORY_CONTAINER,
  CATEGORY_HEALTHCHECK,
  CATEGORY_LIVENESS_PROBE,
  CATEGORY_NONE,
  CATEGORY_READINESS_PROBE,
  categoryOf,
} from '../../../server/state/container-category.ts';
import type { ContainerRow } from '../../../server/state/container-table.ts';
import { ParserHarness } from '../../helpers/parser-harness.ts';

const ID = '0123456789abcdef'.repeat(4);
const CGROUPS = `cpu=/docker/${ID}\0`;
const TS = 1_700_000_000_000_000_000n;
const SHELL_CHECK = { exe: '/bin/sh', args: ['-c', 'curl -f http://localhost/ || exit 1'] };
const PROBES = {
  healthcheck: SHELL_CHECK,
  livenessProbe: { exe: 'cat', args: ['/tmp/alive'] },
  readinessProbe: { exe: 'cat', args: ['/tmp/ready'] },
};

function tell(harness: ParserHarness, more: Partial<ContainerRow>): void {
  const json = containerJsonOf({ ...bareContainer(ID, 'docker'), isComplete: true, ...more });
  const data = Buffer.from(`${json}\0`, 'latin1');
  harness.send('PPME_ASYNCEVENT_E', { plugin_id: 0, name: 'container', data }, { tid: -1 });
}

/** A node with a container: 100 is its first process, 50 its shim. */
function withContainer(): ParserHarness {
  const harness = new ParserHarness();
  harness.load(
    { tid: 1, ptid: 0 },
    { tid: 50, ptid: 1, exe: 'containerd-shim' },
    { tid: 100, ptid: 50, vtid: 1, vpid: 1, exe: 'nginx', cgroups: CGROUPS },
  );
  return harness;
}

function clone(harness: ParserHarness, tid: number, ptid: number, cgroups = CGROUPS): void {
  const params = { res: 0, exe: 'runc', args: 'init\0', tid, pid: tid, ptid, cwd: '', fdlimit: 64, cgroups };
  harness.send(
    'PPME_SYSCALL_CLONE_20_X',
    { ...params, flags: CL_CHILD_IN_PIDNS, uid: 0, gid: 0, vtid: tid % 50, vpid: tid % 50 },
    { tid, ts: TS },
  );
}

function exec(
  harness: ParserHarness,
  tid: number,
  ptid: number,
  { exe, args }: { readonly exe: string; readonly args: readonly string[] },
): void {
  const run = args.map((arg) => `${arg}\0`).join('');
  const params = { res: 0, exe, args: run, tid, pid: tid, ptid, cwd: '', fdlimit: 64, cgroups: CGROUPS };
  harness.send('PPME_SYSCALL_EXECVE_19_X', params, { tid, ts: TS });
}

/** As a runtime does for `exec`: a process of its own outside, one inside, then the command. */
function execFromOutside(
  harness: ParserHarness,
  tid: number,
  command: { readonly exe: string; readonly args: readonly string[] },
): void {
  clone(harness, tid, 50);
  exec(harness, tid, 50, command);
}

const RUNS = [
  ['healthcheck', CATEGORY_HEALTHCHECK],
  ['livenessProbe', CATEGORY_LIVENESS_PROBE],
  ['readinessProbe', CATEGORY_READINESS_PROBE],
] as const;

for (const [member, category] of RUNS) {
  test(`the command of the ${member}, started from outside, is it`, () => {
    const harness = withContainer();
    tell(harness, PROBES);
    execFromOutside(harness, 210, PROBES[member]);
    assert.equal(harness.thread(210).category, category);
  });
}

test('what the shell of a health check starts is part of it, and stays so when the shell is gone', () => {
  const harness = withContainer();
  tell(harness, PROBES);
  execFromOutside(harness, 210, SHELL_CHECK);
  clone(harness, 211, 210);
  exec(harness, 211, 210, { exe: 'curl', args: ['-f', 'http://localhost/'] });
  clone(harness, 212, 211);
  harness.state.tree.remove(210);
  assert.equal(harness.thread(211).category, CATEGORY_HEALTHCHECK);
  assert.equal(harness.thread(212).category, CATEGORY_HEALTHCHECK);
  exec(harness, 212, 100, { exe: 'true', args: [] });
  assert.equal(harness.thread(212).category, CATEGORY_HEALTHCHECK);
});

test('a shell that becomes its command stays the health check', () => {
  const harness = withContainer();
  tell(harness, PROBES);
  execFromOutside(harness, 210, SHELL_CHECK);
  exec(harness, 210, 50, { exe: 'curl', args: [] });
  assert.equal(harness.thread(210).category, CATEGORY_HEALTHCHECK);
});

test('the same command, run by the container itself or in a shell from outside, is no probe', () => {
  const harness = withContainer();
  tell(harness, PROBES);
  clone(harness, 210, 100);
  exec(harness, 210, 100, PROBES.livenessProbe);
  assert.equal(harness.thread(210).category, CATEGORY_CONTAINER);
  execFromOutside(harness, 220, { exe: 'sh', args: [] });
  clone(harness, 221, 220);
  exec(harness, 221, 220, PROBES.livenessProbe);
  assert.equal(harness.thread(221).category, CATEGORY_NONE);
});

test('other arguments are another command', () => {
  const harness = withContainer();
  tell(harness, PROBES);
  execFromOutside(harness, 210, { exe: 'cat', args: ['/tmp/alive', '-v'] });
  execFromOutside(harness, 220, { exe: '/bin/cat', args: ['/tmp/alive'] });
  assert.deepEqual(
    [harness.thread(210).category, harness.thread(220).category],
    [CATEGORY_NONE, CATEGORY_NONE],
  );
});

test('late metadata makes a probe of what runs already, not of what was shown before', () => {
  const harness = withContainer();
  harness.state.undo.enabled = true;
  execFromOutside(harness, 210, SHELL_CHECK);
  clone(harness, 211, 210);
  assert.equal(harness.thread(210).category, CATEGORY_NONE);
  const before = harness.event.record.num;
  tell(harness, PROBES);
  assert.equal(harness.thread(210).category, CATEGORY_HEALTHCHECK);
  assert.equal(harness.thread(211).category, CATEGORY_HEALTHCHECK);
  const past = harness.state.asOf(before);
  assert.equal(past?.findThread(210)?.category, CATEGORY_NONE);
});

test('asked with what is known later, a thread as it was then is the probe', () => {
  const harness = withContainer();
  execFromOutside(harness, 210, SHELL_CHECK);
  const thread = harness.thread(210).copy();
  const { state } = harness;
  const findContainer = () => ({ ...bareContainer(ID, 'docker'), ...PROBES, isComplete: true });
  const view = { findThread: (tid: number) => state.findThread(tid), findContainer };
  assert.equal(categoryOf(view, thread), CATEGORY_HEALTHCHECK);
  assert.equal(categoryOf(state, thread), CATEGORY_NONE);
});

test('a process of the host is nothing of a container, nor is one that comes from another', () => {
  const harness = withContainer();
  tell(harness, PROBES);
  assert.equal(categoryOf(harness.state, harness.thread(50)), CATEGORY_NONE);
  assert.equal(categoryOf(harness.state, harness.thread(100)), CATEGORY_CONTAINER);
  const inner = 'e'.repeat(64);
  clone(harness, 210, 100, `cpu=/docker/${ID}/docker/${inner}\0`);
  assert.equal(harness.thread(210).category, CATEGORY_NONE);
});

test('a thread of a probe with several is the probe, too', () => {
  const harness = withContainer();
  tell(harness, PROBES);
  harness.load(
    { tid: 210, ptid: 50, vtid: 7, vpid: 7, exe: 'cat', args: '/tmp/ready\0', cgroups: CGROUPS },
    { tid: 211, pid: 210, ptid: 50, vtid: 8, vpid: 7, exe: 'cat', args: '/tmp/ready\0', cgroups: CGROUPS },
  );
  assert.equal(categoryOf(harness.state, harness.thread(211)), CATEGORY_READINESS_PROBE);
});

test('ancestors that go round in a circle, or have no end, are given up', () => {
  const harness = new ParserHarness();
  harness.load(
    { tid: 100, ptid: 101, vtid: 2, vpid: 2, cgroups: CGROUPS },
    { tid: 101, ptid: 100, vtid: 3, vpid: 3, cgroups: CGROUPS },
  );
  assert.equal(categoryOf(harness.state, harness.thread(100)), CATEGORY_NONE);
});
