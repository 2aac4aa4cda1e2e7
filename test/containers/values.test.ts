/** What fields and state say of a container is what its runtime says of it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Container } from '../../proto/gen/strata/v1/state.ts';
import type { LiveServer } from '../live/helpers/live-server.ts';
import { FACTS_OF, serverFacts } from './helpers/container-facts.ts';
import { ContainerStream } from './helpers/container-stream.ts';
import { startLabServer } from './helpers/ready-server.ts';
import { until } from './helpers/until.ts';
import type { ContainerDriver, ContainerSpec } from './lab/container-driver.ts';
import { ContainerLab } from './lab/container-lab.ts';
import { LAB_USER, RENAMED_USER } from './lab/lab-images.ts';
import { labOrSkip } from './lab/lab-permission.ts';

const KINDS = ['docker', 'podman', 'cri', 'containerd'] as const;
const IDLE = ['/bin/sleep', '300'];
/** A label with what needs care on the way: other scripts, quotes, separators. */
const LABELS = { plain: 'value', 'with.dots/and-slash': 'grün "quoted", a=b:c' };
const EVENT_FIELDS = [
  'container.id',
  'container.full_id',
  'container.name',
  'container.image',
  'container.image.id',
  'container.image.repository',
  'container.image.tag',
  'container.image.digest',
  'container.type',
  'container.privileged',
  'container.host_pid',
  'container.host_network',
  'container.host_ipc',
  'container.ip',
  'container.label[plain]',
  'container.mount.dest[/tmp]',
  'user.uid',
  'user.name',
  'group.name',
  'proc.name',
] as const;

/** Well beyond the start of a container. */
const FOLLOWS_MS = 3000;

type Kind = (typeof KINDS)[number];

describe('a container', labOrSkip(), () => {
  let lab: ContainerLab;
  let server: LiveServer;

  before(async () => {
    lab = await ContainerLab.up();
    server = await startLabServer(lab);
  });
  after(async () => {
    await server?.stop();
    await lab?.down();
  });

  const driverOf = (kind: Kind): ContainerDriver =>
    lab.drivers().find((driver) => driver.kind === kind) as ContainerDriver;

  const completeRow = (id: string): Promise<Container> =>
    until(`${id} is completely known`, async () => {
      const { container } = await server.client
        .getContainer({ containerId: id })
        .catch(() => ({ container: undefined }));
      return container?.isComplete === true ? container : undefined;
    });

  /** What else has to be asked of a runtime: its image, or the pod. */
  const otherAnswer = async (
    kind: Kind,
    answer: Record<string, unknown>,
  ): Promise<Record<string, unknown>> => {
    if (kind === 'docker') return await lab.docker.inspectImage(String(answer['Image']));
    if (kind === 'cri')
      return await lab.cri.inspectPod(String((answer['info'] as Record<string, unknown>)['sandboxID']));
    if (kind !== 'containerd') return {};
    const lines = (await lab.containerd.ctr(lab.namespace, 'images', 'ls')).split('\n');
    const line = lines.find((text) => text.startsWith(`${answer['Image']} `)) ?? '';
    return { digest: /sha256:\w+/.exec(line)?.[0] ?? '' };
  };

  const compare = async (kind: Kind, spec: ContainerSpec): Promise<Container> => {
    const driver = driverOf(kind);
    const id = await driver.start(spec);
    await completeRow(id);
    const answer = await driver.inspect(id);
    const told = FACTS_OF[kind](answer, await otherAnswer(kind, answer));
    // What the runtime gives it last, such as its address, may follow when it has started.
    const endMs = Date.now() + FOLLOWS_MS;
    for (;;) {
      const row = await completeRow(id);
      const known = serverFacts(row);
      // What a kubelet sets is added for clients that do not; nothing else is.
      const labels = Object.fromEntries(
        Object.entries(known.labels).filter(
          ([key]) => kind !== 'cri' || key in told.labels || !key.startsWith('io.kubernetes.'),
        ),
      );
      try {
        assert.deepEqual({ ...known, labels }, told);
      } catch (error) {
        if (Date.now() > endMs) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      assert.equal(row.id, id.slice(0, 12));
      return row;
    }
  };

  for (const kind of KINDS) {
    it(`${kind}: with an address, mounts, labels, variables and a user of its own`, async () => {
      const row = await compare(kind, {
        name: `plain-${kind}`,
        command: IDLE,
        labels: LABELS,
        env: { SETTING: 'a b=c', EMPTY: '' },
        mounts: [
          { source: lab.images.fileOf(lab.images.tools), target: '/image.tar', isReadOnly: true },
          { source: lab.folder, target: '/lab' },
        ],
        user: LAB_USER.name,
        network: 'private',
      });
      if (kind === 'docker' || kind === 'cri') assert.match(row.ip, /^10\.20[23]\./);
      assert.equal(row.labels['with.dots/and-slash'], LABELS['with.dots/and-slash']);
    });

    it(`${kind}: privileged, with the namespaces of the host`, async () => {
      const row = await compare(kind, {
        name: `privileged-${kind}`,
        command: IDLE,
        isPrivileged: true,
        network: 'host',
        // ctr has options for the network alone.
        isHostPid: kind !== 'containerd',
        isHostIpc: kind !== 'containerd',
      });
      assert.equal(row.isPrivileged, true);
      assert.equal(row.hasHostNetwork, true);
    });

    it(`${kind}: its events say the same, with users and groups of its own files`, async () => {
      const stream = await ContainerStream.open(server.client, {
        condition: 'evt.type = execve and proc.args contains of-its-own',
        fields: EVENT_FIELDS,
        isComplete: true,
      });
      const ids = new Map<string, string>();
      for (const { name } of [LAB_USER, RENAMED_USER]) {
        const command = ['/bin/sh', '-c', 'sleep 0.3; while sleep 0.2; do /bin/echo of-its-own; done'];
        ids.set(
          name,
          await driverOf(kind).start({ name: `user-${name}-${kind}`, command, labels: LABELS, user: name }),
        );
      }
      for (const user of [LAB_USER, RENAMED_USER]) {
        const id = ids.get(user.name) as string;
        const event = await until(`an event of ${user.name}`, () =>
          stream.events.find(
            (candidate) =>
              stream.value(candidate, 'container.full_id') === id &&
              stream.value(candidate, 'proc.name') === 'echo' &&
              // Users are read beside the first events.
              stream.value(candidate, 'user.name') !== '<NA>',
          ),
        );
        const value = (field: (typeof EVENT_FIELDS)[number]): unknown => stream.value(event, field);
        const row = await completeRow(id);
        assert.equal(value('container.id'), row.id);
        assert.equal(value('container.name'), row.name);
        assert.equal(value('container.image'), row.image);
        assert.equal(value('container.image.repository'), row.imageRepository);
        assert.equal(value('container.image.tag'), row.imageTag);
        assert.equal(value('container.image.digest') ?? '', row.imageDigest);
        assert.equal(value('container.image.id') ?? '', row.imageId);
        assert.equal(value('container.type'), kind === 'cri' ? 'containerd' : kind);
        assert.equal(value('container.privileged'), false);
        assert.equal(value('container.host_pid'), false);
        assert.equal(value('container.host_ipc'), false);
        assert.equal(value('container.label[plain]'), LABELS.plain);
        assert.equal(Number(value('user.uid')), user.uid);
        assert.equal(value('user.name'), user.name);
        assert.equal(value('group.name'), user.group);
      }
      await stream.stop();
      for (const id of ids.values()) await driverOf(kind).remove(id);
    });
  }

  it('in a pod of Podman, and in one of CRI, says which', async () => {
    await lab.podman.createPod('pod-of-podman');
    const inPodman = await lab.podman.start({ name: 'podded', command: IDLE, pod: 'pod-of-podman' });
    const podmanRow = await completeRow(inPodman);
    const infra = await lab.podman.inspect(podmanRow.podSandboxId);
    assert.equal(infra['IsInfra'], true);
    assert.equal(infra['Pod'], (await lab.podman.inspect(inPodman))['Pod']);

    const sandbox = await lab.cri.runPod({
      name: 'pod-of-cri',
      namespace: 'shop',
      labels: { tier: 'front' },
    });
    const inCri = await lab.cri.start({ name: 'podded', command: IDLE, pod: sandbox });
    const criRow = await completeRow(inCri);
    assert.equal(criRow.podSandboxId, sandbox);
    assert.equal(criRow.podSandboxLabels['tier'], 'front');
    const pause = await completeRow(sandbox);
    assert.equal(pause.isPodSandbox, true);
    const { rows } = await server.client.extractFields({
      fields: ['k8s.pod.name', 'k8s.ns.name', 'k8s.pod.full_sandbox_id'],
      targets: [{ key: { $case: 'containerId', value: inCri } }],
    });
    const texts = rows[0]?.values.map(({ kind }) =>
      kind?.$case === 'bytesValue' ? kind.value.toString() : undefined,
    );
    assert.deepEqual(texts, ['pod-of-cri', 'shop', sandbox]);
    await lab.podman.removePod('pod-of-podman');
    await lab.cri.removePod(sandbox);
  });
});
