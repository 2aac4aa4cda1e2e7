/** Draws docs/images/kube-return.svg: what an API server gets of 1,000 nodes that lost it for ten minutes. `node scripts/plot-kube-return.ts` */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ReturnScene, simulateReturn } from './kube-return.ts';

const PATH = join(import.meta.dirname, '..', 'docs', 'images', 'kube-return.svg');
/** Lists of a node with 50 pods of 41 namespaces, beside its pods: measured by test/kubernetes/scale.test.ts. */
export const RETURN_SCENE: ReturnScene = {
  clients: 1000,
  lists: 172,
  awaySeconds: 600,
  seconds: 960,
  isSpread: true,
};

const WIDTH = 860;
const HEIGHT = 380;
const LEFT = 70;
const TOP = 40;
const RIGHT = 20;
const BOTTOM = 50;
/** Requests per second at the top; the scale is logarithmic from 1. */
const RATE_MAX = 1_000_000;

const xOf = (second: number): number => LEFT + (second / RETURN_SCENE.seconds) * (WIDTH - LEFT - RIGHT);
const yOf = (rate: number): number =>
  HEIGHT - BOTTOM - (Math.log10(Math.max(rate, 1)) / Math.log10(RATE_MAX)) * (HEIGHT - TOP - BOTTOM);

function line(rates: readonly number[], color: string): string {
  const points = rates.map((rate, second) => `${xOf(second).toFixed(1)},${yOf(rate).toFixed(1)}`);
  return `<polyline fill="none" stroke="${color}" stroke-width="1.2" points="${points.join(' ')}"/>`;
}

function text(x: number, y: number, words: string, more = ''): string {
  return `<text x="${x}" y="${y}" font-size="12" font-family="sans-serif" fill="#333" ${more}>${words}</text>`;
}

function draw(): string {
  const spread = simulateReturn(RETURN_SCENE);
  const unspread = simulateReturn({ ...RETURN_SCENE, isSpread: false });
  const grid = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000].map(
    (rate) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${yOf(rate)}" y2="${yOf(rate)}" stroke="#ddd"/>` +
      text(LEFT - 6, yOf(rate) + 4, rate.toLocaleString('en'), 'text-anchor="end"'),
  );
  const minutes = [0, 2, 4, 6, 8, 10, 12, 14, 16].map((minute) =>
    text(xOf(minute * 60), HEIGHT - BOTTOM + 18, `${minute}`, 'text-anchor="middle"'),
  );
  const back = xOf(RETURN_SCENE.awaySeconds);
  const peak = Math.max(...spread.answered).toLocaleString('en');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    ...grid,
    ...minutes,
    line(unspread.answered, '#d62728'),
    line(unspread.refused, '#f4b6b6'),
    line(spread.refused, '#9ecae1'),
    line(spread.answered, '#1f77b4'),
    `<line x1="${back}" x2="${back}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" stroke="#333" stroke-dasharray="4 3"/>`,
    text(
      LEFT,
      18,
      `Requests per second of 1,000 nodes with 173 lists each; away for ten minutes, at most ${peak} after`,
    ),
    text(LEFT, 33, 'blue: as built (light: refused while away); red: the same waits without chance'),
    text(WIDTH / 2, HEIGHT - 10, 'minutes since it went away', 'text-anchor="middle"'),
    '</svg>',
    '',
  ].join('\n');
}

if (import.meta.main) writeFileSync(PATH, draw());
