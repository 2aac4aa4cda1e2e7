/**
 * Requests per second that an API server gets of many clients before and after it was away: the waits are those of KubeBackoff, time and
 * chance are simulated. Each list asks for its watch, is told that the server has no history (410), waits, lists and watches.
 */
import { KubeBackoff } from '../server/kubernetes/kube-backoff.ts';
import type { KubeClock } from '../server/kubernetes/kube-clock.ts';
import { KubeError } from '../server/kubernetes/kube-error.ts';

export interface ReturnScene {
  readonly clients: number;
  /** Followed by each client, beside the one of pods. */
  readonly lists: number;
  readonly awaySeconds: number;
  readonly seconds: number;
  /** False: as if the waits were not spread. */
  readonly isSpread: boolean;
}

export interface ReturnRates {
  /** Connections that were refused, by second. */
  readonly refused: readonly number[];
  /** Requests that were answered, by second. */
  readonly answered: readonly number[];
}

const AWAY = new KubeError('unreachable', 'away');
const GONE = new KubeError('gone', 'no history');

export function simulateReturn(scene: ReturnScene): ReturnRates {
  const random = randomOf(7);
  const clock: KubeClock = {
    nowMs: () => 0,
    pause: () => Promise.resolve(),
    random: () => (scene.isSpread ? random() : 1),
  };
  const refused = new Array<number>(scene.seconds).fill(0);
  const answered = new Array<number>(scene.seconds).fill(0);
  const count = (counts: number[], ms: number, requests: number): void => {
    const second = Math.floor(ms / 1000);
    if (second < scene.seconds) counts[second] = (counts[second] ?? 0) + requests;
  };
  for (let i = 0; i < scene.clients * (scene.lists + 1); i++) {
    const isOfPods = i % (scene.lists + 1) === 0;
    const backoff = new KubeBackoff(clock, { firstMs: 500, maxMs: isOfPods ? 60_000 : 300_000 });
    let ms = 0;
    for (; ms < scene.awaySeconds * 1000; ms += backoff.next(AWAY)) count(refused, ms, 1);
    count(answered, ms, 1);
    backoff.reset();
    ms += backoff.next(GONE);
    count(answered, ms, 2);
  }
  return { refused, answered };
}

/** The same numbers each time. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
