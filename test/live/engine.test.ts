/** The engine by itself: what it captures, how fast its interest changes, what its counts say, what it leaves behind. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { kernelIds } from '../../server/capture/ebpf/bpf.ts';
import { EngineCapture } from './helpers/engine-capture.ts';
import { EngineReader, interestIn } from './helpers/engine-reader.ts';
import { liveOrSkip } from './helpers/live-permission.ts';

const MARK = `strata-mark-${process.pid}`;
const WAIT_MS = 5000;
const NS_PER_MS = 1_000_000n;

/** Runs a program that shows up with its own name among the texts of an execve. */
function run(mark: string): void {
  spawnSync('/bin/echo', [mark], { argv0: mark });
}

test('an execve made here is seen, once, with a number and a time of now', liveOrSkip(), async () => {
  const reader = await EngineReader.open(interestIn('execve', 'execveat'));
  try {
    const beforeNs = BigInt(Date.now()) * NS_PER_MS;
    run(MARK);
    const events = await reader.readUntil(({ texts }) => texts.includes(MARK), WAIT_MS);
    const seen = events.filter(({ texts }) => texts.includes(MARK));
    assert.equal(seen.length, 1);
    assert.deepEqual(
      events.map(({ num }) => num),
      events.map((_, i) => i + 1),
    );
    const lateMs = Number(((seen[0]?.tsNs ?? 0n) - beforeNs) / NS_PER_MS);
    assert.ok(lateMs >= -2 && lateMs < WAIT_MS, `${lateMs} ms`);
  } finally {
    await reader.engine.close();
  }
});

test('a change of interest takes effect in less than 100 ms', liveOrSkip(), async () => {
  const reader = await EngineReader.open(interestIn());
  try {
    run(`${MARK}-unseen`);
    assert.deepEqual(await reader.readFor(100), []);
    const started = performance.now();
    reader.engine.setInterest(interestIn('execve', 'execveat'));
    const tookMs = performance.now() - started;
    run(`${MARK}-seen`);
    const events = await reader.readUntil(({ texts }) => texts.includes(`${MARK}-seen`), WAIT_MS);
    assert.ok(events.some(({ texts }) => texts.includes(`${MARK}-seen`)));
    assert.ok(!events.some(({ texts }) => texts.includes(`${MARK}-unseen`)));
    assert.ok(tookMs < 100, `${tookMs} ms`);
    reader.engine.setInterest(interestIn());
    await reader.readFor(50);
    run(`${MARK}-unseen`);
    assert.deepEqual(await reader.readFor(100), []);
  } finally {
    await reader.engine.close();
  }
});

test('this process and what it starts are not captured, unless asked for', liveOrSkip(), async () => {
  for (const captureSelf of [false, true]) {
    const reader = await EngineReader.open(interestIn('openat', 'execve', 'execveat'), { captureSelf });
    try {
      const own = new Set(readdirSync('/proc/self/task').map(Number));
      await reader.readFor(50);
      for (let i = 0; i < 20; i++) readFileSync('/proc/self/comm');
      run(MARK);
      const events = await reader.readFor(200);
      assert.equal(
        events.some(({ tid }) => own.has(tid)),
        captureSelf,
      );
      assert.equal(
        events.some(({ texts }) => texts.includes(MARK)),
        captureSelf,
      );
    } finally {
      await reader.engine.close();
    }
  }
});

test('what the kernel has built is what was delivered or counted', liveOrSkip(), async () => {
  const reader = await EngineReader.open(interestIn());
  try {
    // From now on only: nothing is older than the initial state.
    reader.engine.setInterest(interestIn('openat', 'close', 'execve', 'execveat', 'procexit'));
    for (let i = 0; i < 10; i++) run(MARK);
    await reader.readFor(300);
    reader.engine.setInterest(interestIn());
    await reader.readFor(300);
    const { engine } = reader;
    const { generated, dropped } = engine.kernelTotals();
    assert.ok(generated > 50, `${generated}`);
    assert.equal(generated, engine.eventsDelivered + dropped + engine.counters.absorbedEvents);
    assert.equal(engine.counters.eventsLost, dropped);
    assert.deepEqual(engine.status().notes, []);
  } finally {
    await reader.engine.close();
  }
});

test('time goes on: records of different cpus come in order', liveOrSkip(), async () => {
  const reader = await EngineReader.open(interestIn('openat', 'close', 'procexit'));
  try {
    for (let i = 0; i < 10; i++) run(MARK);
    const events = await reader.readFor(300);
    const disordered = events.filter(({ tsNs }, i) => i > 0 && tsNs < (events[i - 1]?.tsNs ?? 0n));
    assert.ok(events.length > 50);
    assert.ok(disordered.length <= events.length / 1000, `${disordered.length} of ${events.length}`);
  } finally {
    await reader.engine.close();
  }
});

/** Ids of the kernel's objects that a process holds open. */
function heldIds(pid: number): Map<'program' | 'map' | 'link', Set<number>> {
  const ids = new Map([
    ['program', new Set<number>()],
    ['map', new Set<number>()],
    ['link', new Set<number>()],
  ] as const);
  for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
    const text = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1');
    const link = /^link_id:\s*(\d+)/m.exec(text)?.[1];
    const program = /^prog_id:\s*(\d+)/m.exec(text)?.[1];
    const map = /^map_id:\s*(\d+)/m.exec(text)?.[1];
    if (link !== undefined) ids.get('link')?.add(Number(link));
    else if (program !== undefined) ids.get('program')?.add(Number(program));
    else if (map !== undefined) ids.get('map')?.add(Number(map));
  }
  return ids;
}

test('kill -9 leaves nothing in the kernel', liveOrSkip(), async () => {
  const capture = await EngineCapture.start({});
  const held = heldIds(capture.pid);
  for (const [kind, ids] of held) assert.ok(ids.size > 0, `no ${kind} held`);
  await capture.kill();
  assert.ok(!existsSync(`/proc/${capture.pid}/fdinfo`));
  const left = () =>
    [...held].flatMap(([kind, ids]) =>
      kernelIds(kind)
        .filter((id) => ids.has(id))
        .map((id) => `${kind} ${id}`),
    );
  const end = performance.now() + WAIT_MS;
  while (left().length > 0 && performance.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(left(), []);
});

test(
  'what runs already under a suppressed name, and what it has started, is not captured',
  liveOrSkip(),
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'strata-suppress-'));
    const shell = join(folder, 'quietshell');
    copyFileSync('/bin/sh', shell);
    // The inner loop runs under another name, as a child that was there before the probe.
    const script = '/bin/sh -c "while :; do /bin/echo $1-hidden; sleep 0.05; done" & wait';
    const quiet = spawn(shell, ['-c', script, 'sh', MARK], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    try {
      await once(quiet.stdout, 'data');
      const reader = await EngineReader.open(interestIn('execve', 'execveat'), {
        suppressComms: ['quietshell'],
      });
      try {
        const before = await reader.readFor(300);
        const { suppressed } = reader.engine.kernelTotals();
        run(`${MARK}-shown`);
        const events = await reader.readUntil(({ texts }) => texts.includes(`${MARK}-shown`), WAIT_MS);
        assert.ok(events.some(({ texts }) => texts.includes(`${MARK}-shown`)));
        const hidden = [...before, ...events].filter(({ texts }) =>
          texts.some((text) => text.includes(`${MARK}-hidden`)),
        );
        assert.deepEqual(hidden, []);
        assert.ok(suppressed > 0);
      } finally {
        await reader.engine.close();
      }
    } finally {
      process.kill(-(quiet.pid as number));
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
