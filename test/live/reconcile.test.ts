/**
 * Capture starts and the initial state is read while processes fork, execute, open, close and change directories all the time.
 * Once the stream has caught up, they are stopped: the state must be what /proc says of them.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { EbpfEngine } from '../../server/capture/ebpf/ebpf-engine.ts';
import { Inspector } from '../../server/inspector/inspector.ts';
import { FD_FIFO, FD_UNIX_SOCK, type FdInfo } from '../../server/state/fd-info.ts';
import { OsState } from '../../server/state/os-state.ts';
import { LIVE_DEFAULTS } from './helpers/capture-request.ts';
import { liveOrSkip } from './helpers/live-permission.ts';

const options = liveOrSkip();
const ROUNDS = 3;
/** Longer than the reconciler's grace. */
const CAUGHT_UP_MS = 2600;
const DRAIN_MS = 400;
const BATCH = 256;

/**
 * Three that change themselves, three that make short-lived children, two that execute themselves anew, and four that have what
 * their children, which live on, must not have: a clone applied to a parent's later row would give it to them.
 */
const LOAD = `
steady() { while :; do exec 7</etc/passwd 8>/dev/null; cd /usr; exec 7<&-; cd /tmp; exec 9</etc; exec 9<&-; sleep 0.02; done; }
children() { while :; do ( cd /usr/bin; exec 6</etc/group; sleep 0.02 & sleep 0.01; wait ); done; }
lasting() { while :; do sleep 5 & exec 9</etc; cd /usr/lib; sleep 0.03; exec 9<&-; cd /; sleep 0.03; done; }
steady & steady & steady &
lasting & lasting & lasting & lasting &
children & children & children &
sh -c 'cd /; exec 5</etc/hosts; n=0; while :; do n=$((n+1)); sleep 0.03; [ $n -gt 20 ] && exec sh -c "$0" "$0"; done' \\
  'n=0; cd /var; exec 4</etc/fstab; while :; do n=$((n+1)); sleep 0.02; [ $n -gt 10 ] && exec sh -c "$0" "$0"; done' &
echo ready
wait
`;

interface Found {
  readonly comm: string;
  readonly exepath: string;
  readonly cwd: string;
  readonly fds: readonly string[];
}

/** Processes of the group by pid, as /proc has them. */
function procState(group: number): Map<number, Found> {
  const found = new Map<number, Found>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(fields[2]) !== group || fields[0] === 'Z') continue;
      found.set(Number(name), {
        comm: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
        exepath: readlinkSync(`/proc/${name}/exe`),
        cwd: readlinkSync(`/proc/${name}/cwd`),
        fds: readdirSync(`/proc/${name}/fd`)
          .map((fd) => `${fd} ${shownName(readlinkSync(`/proc/${name}/fd/${fd}`))}`)
          .sort(),
      });
    } catch {
      // Ended meanwhile.
    }
  }
  return found;
}

/** Pipes and sockets are told by their number in /proc, and have no name of that kind in events. */
function shownName(name: string): string {
  return /^(pipe|socket):/.exec(name)?.[1] ?? name;
}

function rowName({ type, name }: FdInfo): string {
  if (type === FD_UNIX_SOCK) return 'socket';
  if (type === FD_FIFO) return 'pipe';
  // Names are as they were opened, /proc resolves their links.
  return existsSync(name) ? realpathSync(name) : name;
}

function inspectedState(state: OsState, group: number): Map<number, Found> {
  const found = new Map<number, Found>();
  for (const row of state.threads.values()) {
    if (row.pgid !== group || row.isDead) continue;
    const cwd = state.tree.cwd(row);
    found.set(row.tid, {
      comm: row.comm,
      exepath: row.exepath,
      cwd: cwd.length > 1 && cwd.endsWith('/') ? cwd.slice(0, -1) : cwd,
      fds: [...row.fds.entries()].map(([fd, info]) => `${fd} ${rowName(info)}`).sort(),
    });
  }
  return found;
}

async function runFor(inspector: Inspector, ms: number): Promise<void> {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs) {
    if (inspector.run(BATCH) === 'need-input') await inspector.fill();
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

async function round(group: number): Promise<void> {
  const engine = new EbpfEngine({ ...LIVE_DEFAULTS, dropCapabilities: false });
  const state = new OsState();
  const inspector = new Inspector(state, engine, { eventsMax: 0, bytesMax: 0 }, { addsBootTime: true });
  try {
    await inspector.open();
    await runFor(inspector, CAUGHT_UP_MS);
    process.kill(-group, 'SIGSTOP');
    await runFor(inspector, DRAIN_MS);
    assert.equal(engine.counters.eventsLost, 0);
    const expected = procState(group);
    assert.ok(expected.size >= 8, `${expected.size} processes`);
    assert.deepEqual(inspectedState(state, group), expected);
    assert.ok(engine.counters.absorbedEvents > 0, 'no event was older than the snapshot');
  } finally {
    await engine.close();
    process.kill(-group, 'SIGCONT');
  }
}

test('a state read in the middle of everything becomes the true one', {
  ...options,
  timeout: 120_000,
}, async () => {
  const load = spawn('sh', ['-c', LOAD], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  try {
    if (load.stdout !== null) await once(load.stdout, 'data');
    for (let i = 0; i < ROUNDS; i++) {
      await delay(200 + i * 70);
      await round(load.pid as number);
    }
  } finally {
    // The group of the shell that was started here, nothing else.
    if (load.pid !== undefined) process.kill(-load.pid, 'SIGKILL');
  }
});
