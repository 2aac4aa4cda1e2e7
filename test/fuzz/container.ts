/**
 * Fuzzes what containers bring into the stream: JSON of container events, users and groups, and cgroup paths of threads. Whatever
 * comes, the parser does not throw, tables stay within their limits, rows hold what their types say, and every field can be read.
 */
import assert from 'node:assert/strict';
import { matchCgroupPath } from '../../server/container/cgroup-matcher.ts';
import { FIELD_ROWS } from '../../server/fields/catalogue.ts';
import type { Extractor } from '../../server/fields/field.ts';
import { bindField } from '../../server/fields/field-reference.ts';
import { ParserHarness } from '../helpers/parser-harness.ts';
import { checkCrossing, checkRow } from './container-row-check.ts';
import { damageText, mutatedText } from './json-mutations.ts';
import { SeededRandom } from './savefile-random.ts';

export interface ContainerFuzzOptions {
  readonly iterations: number;
  readonly seed: number;
}

export interface ContainerFuzzReport {
  /** Events that left a row. */
  readonly rows: number;
  readonly jsonRefused: number;
  readonly slowestMs: number;
}

const INPUT_MS_MAX = 1000;
const CONTAINERS_MAX = 50;
const ID = 'ab12'.repeat(16);

const SEEDS: readonly object[] = [
  {
    container: {
      id: ID.slice(0, 12),
      full_id: ID,
      type: 0,
      name: 'web',
      image: 'localhost/t/busybox:1',
      imageid: 'ff'.repeat(32),
      imagerepo: 'localhost/t/busybox',
      imagetag: '1',
      imagedigest: 'sha256:00',
      privileged: false,
      host_pid: false,
      host_network: true,
      host_ipc: false,
      ip: '172.17.0.2',
      cni_json: '',
      Mounts: [{ Source: '/srv', Destination: '/data', Mode: 'ro', RW: false, Propagation: 'rprivate' }],
      labels: { app: 'web', 'io.kubernetes.pod.name': 'p' },
      env: ['A=1', 'B=2'],
      port_mappings: [{ HostIp: 0, HostPort: 80, ContainerPort: 8080 }],
      pod_sandbox_id: 'cd'.repeat(32),
      pod_sandbox_labels: { a: 'b' },
      pod_sandbox_cniresult: '{"a":1}',
      is_pod_sandbox: false,
      created_time: 1_700_000_000,
      lookup_state: 1,
      Healthcheck: { exe: 'true', args: ['a'] },
      LivenessProbe: { exe: 'true', args: ['a'] },
      ReadinessProbe: { exe: 'true', args: ['a'] },
    },
  },
  { id: 'short', name: 'x', image: 'y', type: 7 },
  { container: { id: 'n1', type: 'containerd', image: 'incomplete', lookup_state: 0 } },
];

const CGROUP_PARTS: readonly string[] = [
  ...[
    'docker',
    'kubepods',
    'kubepods.slice',
    'system.slice',
    'libpod_parent',
    'default',
    'lxc',
    'lxc.payload',
    'machine.slice',
  ],
  ...[
    ID,
    `docker-${ID}.scope`,
    `cri-containerd-${ID}.scope`,
    `crio-${ID}`,
    `libpod-${ID}`,
    `k8s:cri-containerd:${ID}`,
  ],
  ...[
    '..',
    '.',
    '',
    ' ',
    '\n',
    '\xff',
    ':',
    '::',
    'x'.repeat(300),
    `${ID}${ID}`,
    ID.toUpperCase(),
    'lxc.payload.c',
    'n1',
  ],
];

const FIELDS: readonly Extractor[] = FIELD_ROWS.filter(({ name }) =>
  /^(container|k8s)\.|^proc\.is_container|^user\.|^group\./.test(name),
)
  .filter(({ argument }) => argument === undefined)
  .flatMap(({ name }) => {
    const { extract, json, text } = bindField(name);
    return [extract, json, text];
  });

export async function runContainerFuzz({
  iterations,
  seed,
}: ContainerFuzzOptions): Promise<ContainerFuzzReport> {
  const random = new SeededRandom(seed);
  const harness = new ParserHarness({
    containersMax: CONTAINERS_MAX,
    usersMax: 50,
    groupsMax: 50,
    undoEntriesMax: 1000,
  });
  const report = { rows: 0, slowestMs: 0 };
  for (let i = 0; i < iterations; i++) {
    const startMs = process.cpuUsage().user / 1000;
    const input = inputOf(random);
    try {
      const before = harness.state.containers.counters.added;
      send(harness, input);
      check(harness);
      if (harness.state.containers.counters.added > before) report.rows++;
      if (i % 200 === 0) empty(harness);
    } catch (error) {
      throw new Error(
        `seed ${seed}, iteration ${i}: ${input.kind} ${JSON.stringify(input.text.slice(0, 3000))}`,
        { cause: error },
      );
    }
    const ms = process.cpuUsage().user / 1000 - startMs;
    assert.ok(
      ms < INPUT_MS_MAX,
      `seed ${seed}, iteration ${i}: ${ms} ms for ${input.text.length} characters`,
    );
    report.slowestMs = Math.max(report.slowestMs, ms);
    if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return { ...report, jsonRefused: harness.parser.counters.containerJsonInvalid };
}

type Input = { readonly kind: 'container' | 'container_removed' | 'users' | 'thread'; readonly text: string };

function inputOf(random: SeededRandom): Input {
  switch (random.below(8)) {
    case 0:
      return { kind: 'container_removed', text: mutatedText(random, random.pick(SEEDS)) };
    case 1:
      return { kind: 'users', text: damageText(random, random.pick([ID, ID.slice(0, 12), 'short', 'root'])) };
    case 2:
      return { kind: 'thread', text: cgroupPath(random) };
    default:
      return { kind: 'container', text: mutatedText(random, random.pick(SEEDS)) };
  }
}

function cgroupPath(random: SeededRandom): string {
  let path = '';
  for (let left = random.below(6); left >= 0; left--)
    path += `/${damageText(random, random.pick(CGROUP_PARTS))}`;
  return path;
}

function send(harness: ParserHarness, { kind, text }: Input): void {
  switch (kind) {
    case 'thread': {
      const match = matchCgroupPath(text);
      if (match !== undefined) assert.ok(match.id !== '' && !match.id.includes('/'));
      harness.show(
        'PPME_SYSCALL_CLONE_20_X',
        {
          res: 0,
          exe: 'x',
          args: '',
          tid: 7,
          pid: 7,
          ptid: 1,
          cgroups: Buffer.from(`cpu=${text}\0memory=/\0`, 'latin1'),
          flags: 0,
          vtid: 7,
          vpid: 7,
        },
        { tid: 7 },
      );
      return;
    }
    case 'users':
      harness.send('PPME_USER_ADDED_E', {
        uid: text.length,
        gid: 1,
        name: text,
        home: text,
        shell: text,
        container_id: text,
      });
      harness.send('PPME_GROUP_ADDED_E', { gid: text.length, name: text, container_id: text });
      return;
    default:
      harness.send(
        'PPME_ASYNCEVENT_E',
        { plugin_id: 0, name: kind, data: Buffer.from(`${text}\0`, 'latin1') },
        { tid: 7 },
      );
  }
}

/** Limits, types and fields after the event. */
function check({ state, event }: ParserHarness): void {
  assert.ok(state.containers.size <= CONTAINERS_MAX && state.users.size <= 50 && state.groups.size <= 50);
  const key = state.threads.find(7)?.containerId ?? '';
  for (const id of [key, ID, state.containers.findKeyByShortId(ID.slice(0, 12)) ?? '']) {
    const row = state.containers.find(id);
    if (row === undefined) continue;
    checkRow(row);
    checkCrossing(row);
  }
  for (const extract of FIELDS) extract(event);
}

function empty({ state }: ParserHarness): void {
  for (const [key] of [...state.containers.entries()]) state.containers.delete(key);
  for (const [id, uid] of [...state.users.entries()]) state.users.delete(id, uid);
  for (const [id, gid] of [...state.groups.entries()]) state.groups.delete(id, gid);
}
