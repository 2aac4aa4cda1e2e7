/** The state of threads while a load runs equals what /proc says at that moment. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Fd } from '../../proto/gen/strata/v1/state.ts';
import { fdDifferences, threadDifferences } from './helpers/compare-thread.ts';
import { liveOrSkip } from './helpers/live-permission.ts';
import { type LiveServer, startLiveServer } from './helpers/live-server.ts';
import { LoadProcess } from './helpers/load-process.ts';
import { listThreads, type ProcThread, readProcThread } from './helpers/proc-thread.ts';

const THREADS_WANTED = 100;
const TRIES = 3;
const ATTEMPTS = 3;
const ROUNDS_MAX = 12;
/** Events of what /proc already shows are on their way this long. */
const SETTLE_MS = 20;

test('100 random threads are what /proc says they are', liveOrSkip('python3'), async () => {
  const before = await LoadProcess.start('busy_state.py');
  try {
    for (let attempt = 1; ; attempt++) {
      const { failures, lost, about } = await compareOnce();
      process.stdout.write(`${about}\n`);
      // Where events are lost the state is behind, and says so; that is another test's matter.
      if (lost > 0n && attempt < ATTEMPTS) continue;
      assert.deepEqual(failures, [], about);
      break;
    }
  } finally {
    await before.stop();
  }
});

interface Comparison {
  readonly failures: readonly string[];
  readonly lost: bigint;
  readonly about: string;
}

async function compareOnce(): Promise<Comparison> {
  const server = await startLiveServer();
  try {
    // One load is older than the server and known by its snapshot, the other by events alone.
    const after = await LoadProcess.start('busy_state.py');
    try {
      return await compareThreads(server);
    } finally {
      await after.stop();
    }
  } finally {
    await server.stop();
  }
}

async function compareThreads(server: LiveServer): Promise<Comparison> {
  const seed = Date.now();
  const own = new Set([process.pid, server.pid]);
  const threads = shuffled(
    listThreads().filter(({ pid }) => !own.has(pid)),
    seed,
  );
  const failures: string[] = [];
  let compared = 0;
  for (const { pid, tid } of threads) {
    if (compared >= THREADS_WANTED) break;
    const differences = await compareThread(server, pid, tid);
    if (differences === undefined) continue;
    compared++;
    if (differences.length > 0) failures.push(`thread ${tid} of ${pid}: ${differences.join('; ')}`);
  }
  assert.ok(compared >= Math.min(THREADS_WANTED, threads.length >> 1), `only ${compared} threads to compare`);
  const { counters } = await server.client.getCounters();
  const lost = counters.find(({ name }) => name === 'capture_events_lost')?.value ?? 0n;
  return { failures, lost, about: `${compared} threads compared, seed ${seed}, ${lost} events lost` };
}

/**
 * Undefined when the thread went away. /proc is read before and after the server is asked, and only what stayed the same in
 * between counts; a difference counts when it lasts over several such readings.
 */
async function compareThread(server: LiveServer, pid: number, tid: number): Promise<string[] | undefined> {
  let differences: string[] = [];
  let stable = 0;
  for (let round = 0; round < ROUNDS_MAX && stable < TRIES; round++) {
    const before = readProcThread(pid, tid);
    if (before === undefined) return undefined;
    await sleep(SETTLE_MS);
    const found = await ask(server, before);
    if (!isDeepStrictEqual(readProcThread(pid, tid), before)) continue;
    if (found.length === 0) return found;
    differences = found;
    stable++;
  }
  // Never still for long enough: nothing to compare.
  return stable < TRIES ? undefined : differences;
}

async function ask(server: LiveServer, theirs: ProcThread): Promise<string[]> {
  try {
    const { thread } = await server.client.getThread({ tid: BigInt(theirs.tid) });
    const fds = await listFds(server, theirs.pid);
    if (thread === undefined) return ['an answer without a thread'];
    return [...threadDifferences(thread, theirs), ...fdDifferences(fds, theirs)];
  } catch (error) {
    return [`no answer: ${(error as Error).message}`];
  }
}

async function listFds(server: LiveServer, pid: number): Promise<Fd[]> {
  const fds: Fd[] = [];
  let pageToken = '';
  do {
    const answer = await server.client.listFds({ tid: BigInt(pid), page: { pageSize: 10_000, pageToken } });
    fds.push(...answer.fds);
    pageToken = answer.page?.nextPageToken ?? '';
  } while (pageToken !== '');
  return fds;
}

/** The same order for the same seed. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
