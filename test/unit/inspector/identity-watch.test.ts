import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WANT_SUCCESS } from '../../../server/capture/interest.ts';
import { PPME_SYSCALL_RENAME_X } from '../../../server/event/event-types.ts';
import { IdentityWatch } from '../../../server/inspector/identity-watch.ts';
import { Inspector } from '../../../server/inspector/inspector.ts';
import { OsState } from '../../../server/state/os-state.ts';
import { LiveScriptEngine } from '../../helpers/live-script-engine.ts';
import type { ScriptEvent } from '../../helpers/query-fixture.ts';
import { cgroupsOf, containerId } from '../../helpers/tracker-bench.ts';

const A = containerId('a');
const O_RDONLY = 1;
const O_RDWR = 3;

interface Bench {
  readonly watch: IdentityWatch;
  readonly calls: string[];
  run(...events: ScriptEvent[]): void;
  /** Calls made at this time. */
  at(ms: number): string[];
}

async function start(): Promise<Bench> {
  const engine = new LiveScriptEngine([
    { tid: 5, pid: 5, cgroups: cgroupsOf('') },
    { tid: 6, pid: 6, cgroups: cgroupsOf(A) },
  ]);
  const inspector = new Inspector(new OsState(), engine, { eventsMax: 0, bytesMax: 0 });
  const calls: string[] = [];
  const name = (fullId: string) => (fullId === '' ? 'host' : fullId[0]);
  let nowMs = 0;
  const watch = new IdentityWatch(
    {
      onExec: (fullId, tid) => calls.push(`exec ${name(fullId)} ${tid}`),
      onIdentitiesChanged: (fullId, tid) => calls.push(`changed ${name(fullId)} ${tid}`),
    },
    () => nowMs,
  );
  inspector.addReader(watch);
  await inspector.open();
  await Promise.resolve();
  assert.equal((engine.interest[PPME_SYSCALL_RENAME_X] as number) & WANT_SUCCESS, WANT_SUCCESS);
  return {
    watch,
    calls,
    run: (...events) => {
      engine.push(...events);
      assert.equal(inspector.run(100), 'need-input');
    },
    at: (ms) => {
      nowMs = ms;
      watch.tick();
      return calls.splice(0);
    },
  };
}

function writeFile(tid: number, path: string, flags = O_RDWR): ScriptEvent[] {
  return [
    { code: 'PPME_SYSCALL_OPEN_X', tid, params: { fd: 7, name: path, flags, mode: 0 } },
    { code: 'PPME_SYSCALL_CLOSE_X', tid, params: { res: 0, fd: 7 } },
  ];
}

test('a list that is closed after writing is read soon, and once more', async () => {
  const { run, at } = await start();
  run(...writeFile(5, '/etc/passwd'));
  assert.deepEqual(at(49), []);
  assert.deepEqual(at(50), ['changed host 5']);
  assert.deepEqual(at(1999), []);
  assert.deepEqual(at(2000), ['changed host 5']);
  assert.deepEqual(at(90_000), []);
});

test('a file renamed onto a list counts, absolute or relative, in a container for that container', async () => {
  const { run, at } = await start();
  run({
    code: 'PPME_SYSCALL_RENAME_X',
    tid: 6,
    params: { res: 0, oldpath: '/etc/group+', newpath: '/etc/group' },
  });
  assert.deepEqual(at(60), ['changed a 6']);
  const at2 = { res: 0, olddirfd: 3, oldpath: 'passwd-', newdirfd: 3, newpath: 'passwd' };
  run({ code: 'PPME_SYSCALL_RENAMEAT2_X', tid: 5, params: { ...at2, flags: 0 } });
  run({ code: 'PPME_SYSCALL_RENAMEAT_X', tid: 6, params: at2 });
  assert.deepEqual(at(120), ['changed a 6', 'changed host 5']);
});

test('reading a list, writing other files and failing change nothing', async () => {
  const { run, at } = await start();
  run(
    ...writeFile(5, '/etc/passwd', O_RDONLY),
    ...writeFile(5, '/etc/shadow'),
    ...writeFile(5, '/srv/etc/passwd'),
  );
  run({ code: 'PPME_SYSCALL_RENAME_X', tid: 5, params: { res: -2, oldpath: 'x', newpath: '/etc/passwd' } });
  run({
    code: 'PPME_SYSCALL_RENAME_X',
    tid: 5,
    params: { res: 0, oldpath: '/etc/passwd', newpath: '/x/passwd' },
  });
  assert.deepEqual(at(10_000), []);
});

test('many changes in a row are few readings', async () => {
  const { run, at } = await start();
  for (let i = 0; i < 20; i++) run(...writeFile(5, '/etc/passwd'));
  assert.deepEqual(at(60), ['changed host 5']);
  run(...writeFile(5, '/etc/group'));
  assert.deepEqual(at(90), []);
  assert.deepEqual(at(120), ['changed host 5']);
});

test('programs that start in containers are told', async () => {
  const { run, calls } = await start();
  const exec = (tid: number, res: number): ScriptEvent => ({
    code: 'PPME_SYSCALL_EXECVE_19_X',
    tid,
    params: { res, exe: '/bin/x', tid, pid: tid, ptid: 1, comm: 'x' },
  });
  run(exec(5, 0), exec(6, -2), exec(6, 0));
  assert.deepEqual(calls, ['exec a 6']);
});

test('changes in more containers than can be followed are counted', async () => {
  const { run, watch } = await start();
  const threads: ScriptEvent[] = [];
  for (let i = 0; i < 1100; i++) {
    const tid = 100 + i;
    const cgroups = Buffer.from(cgroupsOf(containerId(tid.toString(16))), 'latin1');
    threads.push({
      code: 'PPME_SYSCALL_CLONE_20_X',
      tid,
      params: {
        res: 0,
        exe: 'x',
        tid,
        pid: tid,
        ptid: 1,
        comm: 'x',
        cgroups,
        flags: 0,
        uid: 0,
        gid: 0,
        vtid: tid,
        vpid: tid,
      },
    });
    threads.push({
      code: 'PPME_SYSCALL_RENAME_X',
      tid,
      params: { res: 0, oldpath: 'x', newpath: '/etc/passwd' },
    });
  }
  for (let at = 0; at < threads.length; at += 50) run(...threads.slice(at, at + 50));
  assert.equal(watch.refusedCount, 1100 - 1024);
});
