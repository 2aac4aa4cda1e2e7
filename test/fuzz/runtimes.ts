/**
 * Fuzzes what container runtimes answer: Docker's and Podman's JSON, event streams cut anywhere, CRI's messages with the JSON inside
 * them, containerd's records with their specifications. Whatever comes, reading it does not throw, takes bounded time, and what it
 * makes is a row whose members have their types and which crosses to the inspector unchanged.
 */
import assert from 'node:assert/strict';
import { type JsonObject, objectOf } from '../../server/container/container-json.ts';
import { containerdRow } from '../../server/container/runtime/containerd-rows.ts';
import { criContainerRow, criSandboxRow } from '../../server/container/runtime/cri-rows.ts';
import { criSandboxOf } from '../../server/container/runtime/cri-sandbox.ts';
import { dockerContainerOf, dockerListedOf } from '../../server/container/runtime/docker-container.ts';
import { DockerEvents } from '../../server/container/runtime/docker-events.ts';
import { imageFactsOf } from '../../server/container/runtime/docker-image.ts';
import { jsonObjectOf } from '../../server/container/runtime/grpc-values.ts';
import { HttpLines } from '../../server/container/runtime/http-lines.ts';
import type { Neighbours } from '../../server/container/runtime/http-neighbours.ts';
import { podmanContainerOf, podmanListedOf } from '../../server/container/runtime/podman-container.ts';
import { onPodmanEvent } from '../../server/container/runtime/podman-events.ts';
import { RuntimeError, type RuntimeEvents } from '../../server/container/runtime/runtime-client.ts';
import type { ContainerRow } from '../../server/state/container-table.ts';
import { fakeContainer } from '../helpers/fake-container.ts';
import { criAnswers, ociSpec } from '../helpers/fake-cri.ts';
import { dockerEvent, dockerImage, dockerInspect, dockerListRow } from '../helpers/fake-docker.ts';
import { podmanInspect, podmanListRow } from '../helpers/fake-podman.ts';
import { checkCrossing, checkRow } from './container-row-check.ts';
import { damageText, mutatedText, mutateJson } from './json-mutations.ts';
import { SeededRandom } from './savefile-random.ts';

export interface RuntimesFuzzOptions {
  readonly iterations: number;
  readonly seed: number;
}

export interface RuntimesFuzzReport {
  /** Answers that gave a row, by what was read. */
  readonly rows: Readonly<Record<string, number>>;
  readonly linesRead: number;
  readonly linesRefused: number;
  readonly slowestMs: number;
}

const INPUT_MS_MAX = 1000;

const SAMPLE = fakeContainer({
  name: 'web',
  health: ['CMD-SHELL', 'true'],
  labels: {
    app: 'web',
    'io.kubernetes.pod.name': 'p',
    'io.kubernetes.container.name': 'web',
    'io.kubernetes.sandbox.id': 'c'.repeat(64),
    'annotation.kubectl.kubernetes.io/last-applied-configuration':
      '{"spec":{"containers":[{"name":"web","livenessProbe":{"exec":{"command":["true"]}}}]}}',
  },
  podId: 'c'.repeat(64),
  podName: 'p',
  podUid: 'u1',
  podNamespace: 'n',
});

type Reader = (random: SeededRandom) => readonly (ContainerRow | undefined)[];

/** A sample as it is three times in four, else damaged. */
function part(random: SeededRandom, sample: unknown): unknown {
  return random.below(4) > 0 ? mutateJson(random, sample) : sample;
}

function object(random: SeededRandom, sample: unknown): JsonObject {
  return objectOf(part(random, sample)) ?? {};
}

function neighbours(random: SeededRandom, inspection: object): Neighbours {
  return {
    image: imageFactsOf(part(random, dockerImage(SAMPLE.imageId))),
    network: random.below(2) === 0 ? undefined : object(random, inspection),
    sandbox: random.below(2) === 0 ? undefined : object(random, inspection),
    isComplete: random.below(2) === 0,
  };
}

const READERS: Readonly<Record<string, Reader>> = {
  'docker inspect': (random) => [
    dockerContainerOf(object(random, dockerInspect(SAMPLE)), neighbours(random, dockerInspect(SAMPLE)))?.row,
  ],
  'docker list': (random) => [
    dockerListedOf(part(random, dockerListRow(SAMPLE)), () => imageFactsOf(part(random, dockerImage('a'))))
      ?.row,
  ],
  'podman inspect': (random) => [
    podmanContainerOf(object(random, podmanInspect(SAMPLE)), neighbours(random, podmanInspect(SAMPLE)))?.row,
  ],
  'podman list': (random) => [
    podmanListedOf(part(random, podmanListRow(SAMPLE)), () => imageFactsOf(part(random, dockerImage('a'))))
      ?.row,
  ],
  events: (random) => {
    const rows: ContainerRow[] = [];
    const sink: RuntimeEvents = {
      onCreated: (fullId, early) => {
        checkId(fullId);
        if (early !== undefined) rows.push(early.row);
      },
      onStarted: checkId,
      onEnded: checkId,
    };
    const event = object(
      random,
      dockerEvent(SAMPLE, random.pick(['create', 'start', 'die', 'destroy', 'died'])),
    );
    new DockerEvents(sink, () => undefined).on(event);
    onPodmanEvent(event, sink);
    return rows;
  },
  cri: (random) => {
    const answers = criAnswers(SAMPLE);
    const info = jsonObjectOf(mutatedText(random, answers.info));
    const sandboxInfo = jsonObjectOf(mutatedText(random, answers.sandboxInfo));
    const status = object(random, answers.status);
    const sandboxStatus = object(random, answers.sandboxStatus);
    const sandbox = criSandboxOf(sandboxStatus, sandboxInfo);
    return [
      criContainerRow(status, info, random.below(3) === 0 ? undefined : sandbox, 'containerd'),
      criSandboxRow(sandbox, sandboxStatus, sandboxInfo, 'containerd'),
    ];
  },
  containerd: (random) => {
    const value = Buffer.from(mutatedText(random, ociSpec(SAMPLE)), 'latin1');
    const record = {
      id: 'n1',
      labels: SAMPLE.labels,
      image: SAMPLE.image,
      created_at: { seconds: '1795486328', nanos: 5 },
    };
    return [containerdRow({ ...object(random, record), spec: { type_url: 'x', value } }, '')];
  },
};

/** Ids become keys and parts of paths: nothing else may pass for one. */
function checkId(fullId: string): void {
  assert.match(fullId, /^[0-9a-f]{64}$/);
}

export async function runRuntimesFuzz({
  iterations,
  seed,
}: RuntimesFuzzOptions): Promise<RuntimesFuzzReport> {
  const random = new SeededRandom(seed);
  const report = { rows: {} as Record<string, number>, linesRead: 0, linesRefused: 0, slowestMs: 0 };
  const names = Object.keys(READERS);
  for (let i = 0; i < iterations; i++) {
    const name = names[i % names.length] as string;
    const before = { ...random };
    const startMs = process.cpuUsage().user / 1000;
    try {
      for (const row of (READERS[name] as Reader)(random)) {
        if (row === undefined) continue;
        checkRow(row);
        checkCrossing(row);
        report.rows[name] = (report.rows[name] ?? 0) + 1;
      }
      const count = readLines(random);
      if (count < 0) report.linesRefused++;
      else report.linesRead += count;
    } catch (error) {
      throw new Error(`seed ${seed}, iteration ${i}: ${name}, generator ${JSON.stringify(before)}`, {
        cause: error,
      });
    }
    const ms = process.cpuUsage().user / 1000 - startMs;
    assert.ok(ms < INPUT_MS_MAX, `seed ${seed}, iteration ${i}: ${name} took ${ms} ms`);
    report.slowestMs = Math.max(report.slowestMs, ms);
    if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return report;
}

/** A stream of events, good or damaged, in pieces of any size: the same objects as in one piece. -1: refused. */
function readLines(random: SeededRandom): number {
  const lines = Array.from({ length: random.below(5) }, () => JSON.stringify(dockerEvent(SAMPLE, 'create')));
  const text = `${lines.join(random.below(4) === 0 ? '\r\n' : '\n')}\n`;
  const isDamaged = random.below(2) === 0;
  const bytes = Buffer.from(isDamaged ? damageText(random, text) : text, 'latin1');
  const whole = objectsOf([bytes]);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random.below(random.below(2) === 0 ? 4 : 300);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  const cut = objectsOf(pieces);
  assert.deepEqual(cut, whole, 'pieces change what is read');
  if (!isDamaged) assert.equal(whole?.length, lines.length);
  return whole?.length ?? -1;
}

function objectsOf(pieces: readonly Buffer[]): readonly JsonObject[] | undefined {
  const lines = new HttpLines('GET /events', 4096);
  const objects: JsonObject[] = [];
  try {
    for (const piece of pieces) objects.push(...lines.push(piece));
    return objects;
  } catch (error) {
    assert.ok(error instanceof RuntimeError && error.fault === 'protocol');
    return undefined;
  }
}
