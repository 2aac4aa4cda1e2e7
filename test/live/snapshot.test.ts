/** The initial state of this very machine: both sources against each other, against /proc, and against the clock. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BootClock } from '../../server/capture/ebpf/boot-clock.ts';
import { collectSnapshot, type SnapshotResult } from '../../server/capture/snapshot/collect-snapshot.ts';
import { liveOrSkip } from './helpers/live-permission.ts';
import { StateSink } from './helpers/state-sink.ts';

const options = liveOrSkip();
/** Of processor time: others may be at work on the machine. */
const READY_MS_MAX = 2000;
const TICK_NS = 10_000_000n;
/** Counters of memory are kept per cpu and added up now and then. */
const MEMORY_KB_TOLERANCE = 2048;
/** All have one inode: whether it is the same one cannot be told, and other probes on the machine come and go. */
const FD_BPF = 17;
/** What only one source knows: /proc hides kernel pointers. */
const ONE_SIDED = new Set(['unixSource', 'unixPeer']);

let child: ChildProcess | undefined;

before(async () => {
  if (options.skip !== false) return;
  child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./helpers/open-things.ts', import.meta.url)), 'ä b'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, SNAPSHOT_TEST: 'yes', SNAPSHOT_SECRET: 'no' },
    },
  );
  if (child.stdout !== null) await once(child.stdout, 'data');
});
after(() => {
  child?.kill();
});

interface Collected {
  readonly sink: StateSink;
  readonly result: SnapshotResult;
}

async function collect(source: 'iterators' | 'procfs', clock?: BootClock): Promise<Collected> {
  const sink = new StateSink();
  const environment = { allow: ['SNAPSHOT_TEST'] };
  return { sink, result: await collectSnapshot(sink, { source, clock, environment }) };
}

function isClose(key: string, a: unknown, b: unknown): boolean {
  if (key === 'startTsNs' || key === 'pidnsInitStartNs') {
    const difference = (a as bigint) - (b as bigint);
    return difference < TICK_NS && difference > -TICK_NS;
  }
  if (key.startsWith('vm')) return Math.abs((a as number) - (b as number)) <= MEMORY_KB_TOLERANCE;
  return a === b;
}

/** Differences between rows of two sources in what did not change while they were read. */
function differences(first: object, middle: object, last: object): string[] {
  const found: string[] = [];
  for (const [key, a] of Object.entries(first)) {
    const [b, c] = [middle, last].map((row) => (row as Record<string, unknown>)[key]);
    if (!ONE_SIDED.has(key) && isClose(key, a, c) && !isClose(key, a, b)) found.push(`${key}: ${a} or ${b}`);
  }
  return found;
}

test('iterators and /proc give the same rows, field by field', options, async () => {
  const clock = new BootClock();
  const first = (await collect('iterators', clock)).sink;
  const middle = (await collect('procfs', clock)).sink;
  const last = (await collect('iterators', clock)).sink;
  const wrong: string[] = [];
  let compared = 0;
  for (const [tid, row] of first.threads) {
    const [b, c] = [middle.threads.get(tid), last.threads.get(tid)];
    if (c === undefined) continue;
    if (b === undefined) wrong.push(`${tid} ${row.comm}: missing`);
    else wrong.push(...differences(row, b, c).map((text) => `${tid} ${row.comm} ${text}`));
    compared++;
  }
  for (const [tid, table] of first.fds) {
    // Our own fds come and go with the reading itself.
    if (tid === process.pid) continue;
    for (const [fd, row] of table) {
      const [b, c] = [middle, last].map((sink) => sink.fds.get(tid)?.get(fd));
      if (c === undefined || c.ino !== row.ino || c.type !== row.type || row.type === FD_BPF) continue;
      if (b === undefined) wrong.push(`fd ${tid}/${fd}: missing`);
      else wrong.push(...differences(row, b, c).map((text) => `fd ${tid}/${fd} ${text}`));
      compared++;
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(compared > 20, `${compared} rows compared`);
});

for (const source of ['iterators', 'procfs'] as const) {
  test(`${source}: a process's rows are what /proc says`, options, async () => {
    const pid = child?.pid as number;
    const { sink, result } = await collect(source);
    assert.equal(result.source, source);
    const row = sink.threads.get(pid);
    const proc = `/proc/${pid}`;
    const status = (key: string) =>
      new RegExp(`^${key}:\\s*(.*)$`, 'm').exec(readFileSync(`${proc}/status`, 'latin1'))?.[1];
    const exe = statSync(`${proc}/exe`, { bigint: true });
    assert.equal(row?.exepath, readlinkSync(`${proc}/exe`));
    assert.equal(row?.cwd, readlinkSync(`${proc}/cwd`));
    assert.equal(row?.comm, status('Name'));
    assert.equal(`${row?.exe}\0${row?.args}`, readFileSync(`${proc}/cmdline`, 'latin1'));
    assert.equal(row?.ptid, process.pid);
    assert.equal(BigInt(row?.exeIno ?? 0), exe.ino);
    assert.equal(row?.exeInoMtimeNs, exe.mtimeNs);
    assert.equal(BigInt(row?.capEffective ?? 0), BigInt(`0x${status('CapEff')}`));
    assert.equal(row?.env, 'SNAPSHOT_TEST=yes\0');
    assert.equal(row?.exeWritable, true);
    const tids = readdirSync(`${proc}/task`).map(Number);
    assert.ok(tids.length > 1);
    for (const tid of tids) assert.equal(sink.threads.get(tid)?.exepath, row?.exepath);
  });

  test(`${source}: every kind of fd`, options, async () => {
    const pid = child?.pid as number;
    const { sink } = await collect(source);
    const rows = [...(sink.fds.get(pid)?.values() ?? [])];
    const byType = (type: number) => rows.filter((row) => row.type === type);
    const file = byType(16).find((row) => row.name.endsWith('/file'));
    assert.ok(
      file !== undefined && (file.openFlags & (3 | 8)) === (3 | 8) && file.mountId > 0 && file.dev > 0,
    );
    assert.equal(Number(file.ino), statSync(`/proc/${pid}/fd/${file.fd}`).ino);
    assert.equal(file.dev, statSync(`/proc/${pid}/fd/${file.fd}`).dev);
    assert.equal(byType(2).filter((row) => row.name.includes('strata-open-')).length, 1);
    // Two ends of one connection, of each family.
    for (const [type, ip] of [
      [3, '\x7f\0\0\x01'],
      [4, `${'\0'.repeat(15)}\x01`],
    ] as const) {
      const ends = byType(type);
      assert.equal(ends.length, 2);
      assert.deepEqual([ends[0]?.sport, ends[0]?.dport], [ends[1]?.dport, ends[1]?.sport]);
      assert.deepEqual([ends[0]?.sip, ends[0]?.dip, ends[0]?.l4proto], [ip, ip, 2]);
    }
    assert.deepEqual(
      byType(5)
        .map((row) => row.l4proto)
        .sort(),
      [2, 3],
    );
    assert.equal(byType(6).length, 1);
    assert.ok(byType(8).some((row) => row.name.endsWith('/socket')));
    assert.ok(byType(12).length > 0 && byType(9).length > 0);
    assert.equal(rows.length, readdirSync(`/proc/${pid}/fd`).length);
  });
}

test('two thousand processes are read in time by either source', {
  ...options,
  timeout: 120_000,
}, async () => {
  // Each has the shell's fds and ten more.
  const script =
    'for i in 3 4 5 6 7 8 9; do eval "exec $i</dev/null"; done; i=0; while [ $i -lt 2000 ]; do sleep 120 & i=$((i+1)); done; echo ready; wait';
  const load = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  try {
    if (load.stdout !== null) await once(load.stdout, 'data');
    for (const source of ['iterators', 'procfs'] as const) {
      const before = process.cpuUsage();
      const { result } = await collect(source);
      const { user, system } = process.cpuUsage(before);
      assert.ok(result.threads > 2000 && result.fds > 20_000, JSON.stringify(result));
      assert.ok(
        (user + system) / 1000 < READY_MS_MAX,
        `${user + system} us of processor: ${JSON.stringify(result)}`,
      );
    }
  } finally {
    // The shell's own group, nothing else.
    if (load.pid !== undefined) process.kill(-load.pid, 'SIGKILL');
  }
});
