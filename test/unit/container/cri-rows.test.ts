import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../../server/container/container-json.ts';
import { containerJsonOf } from '../../../server/container/container-rows.ts';
import { criImageOf } from '../../../server/container/runtime/cri-image.ts';
import { criProbesOf } from '../../../server/container/runtime/cri-probes.ts';
import { criRecordOf, withImageNames } from '../../../server/container/runtime/cri-records.ts';
import { criContainerRow, criSandboxRow } from '../../../server/container/runtime/cri-rows.ts';
import { criSandboxOf } from '../../../server/container/runtime/cri-sandbox.ts';
import { parseImageName } from '../../../server/container/runtime/image-name.ts';

const HEX = '67d6fb77244eee54f8913e41ea17c0ed37d31bf8933b7214a4bce8ebf2f2b4c4';

test('names of images are taken apart at the last colon that is no port', () => {
  const names: readonly (readonly [string, string, string, string])[] = [
    ['busybox', 'busybox', '', ''],
    ['busybox:1.36', 'busybox', '1.36', ''],
    ['host:5000/a/b', 'host:5000/a/b', '', ''],
    ['host:5000/a/b:c', 'host:5000/a/b', 'c', ''],
    [`host:5000/a/b:c@sha256:${HEX}`, 'host:5000/a/b', 'c', `sha256:${HEX}`],
    [`a@sha256:${HEX}`, 'a', '', `sha256:${HEX}`],
    ['', '', '', ''],
  ];
  for (const [name, repository, tag, digest] of names) {
    assert.deepEqual(parseImageName(name), { repository, tag, digest }, name);
  }
});

/** Status and details, and what the image is: name, id, repository, tag, digest. */
const IMAGES: readonly (readonly [string, JsonObject, JsonObject | undefined, readonly string[]])[] = [
  [
    'an image that was imported',
    { image: { image: 'localhost/t/busybox:1' }, image_ref: `sha256:${HEX}` },
    { config: { image: { image: 'localhost/t/busybox:1' } } },
    ['localhost/t/busybox:1', HEX, 'localhost/t/busybox', '1', `sha256:${HEX}`],
  ],
  [
    'an image that was pulled by tag, through kubelet',
    {
      image: { image: 'reg.example/lib/nginx:1.25' },
      image_ref: `reg.example/lib/nginx@sha256:${'a'.repeat(64)}`,
    },
    { config: { image: { image: `sha256:${HEX}` } } },
    ['reg.example/lib/nginx:1.25', HEX, 'reg.example/lib/nginx', '1.25', `sha256:${'a'.repeat(64)}`],
  ],
  [
    'an image that was pulled by digest',
    {
      image: { image: `reg.example/n@sha256:${HEX}` },
      image_ref: `reg.example/n@sha256:${HEX}`,
      image_id: HEX,
    },
    undefined,
    ['reg.example/n', HEX, 'reg.example/n', '', `sha256:${HEX}`],
  ],
  [
    'an image whose name is in an annotation only',
    { image: { image: `sha256:${HEX}` }, image_ref: `sha256:${HEX}` },
    { runtimeSpec: { annotations: { 'io.kubernetes.cri-o.ImageName': 'quay.example/a:2' } } },
    ['quay.example/a:2', HEX, 'quay.example/a', '2', `sha256:${HEX}`],
  ],
  [
    'an image without any name',
    { image: { image: `sha256:${HEX}` }, image_ref: `sha256:${HEX}` },
    undefined,
    [`sha256:${HEX}`, HEX, '', '', `sha256:${HEX}`],
  ],
  ['no image', {}, undefined, ['', '', '', '', '']],
];

for (const [name, status, info, expected] of IMAGES) {
  test(`image: ${name}`, () => {
    const image = criImageOf(status, info);
    assert.deepEqual(
      [image.image, image.imageId, image.imageRepository, image.imageTag, image.imageDigest],
      expected,
    );
  });
}

test('propagation of mounts has the words that are shown, by name and by number', () => {
  const mounts = [
    { propagation: 'PROPAGATION_PRIVATE' },
    { propagation: 'PROPAGATION_HOST_TO_CONTAINER' },
    { propagation: 'PROPAGATION_BIDIRECTIONAL' },
    { propagation: 2 },
    {},
    { propagation: 9 },
    'no mount',
  ];
  const row = criContainerRow({ id: 'a', mounts }, undefined, undefined, 'cri');
  assert.deepEqual(
    row.mounts.map(({ propagation }) => propagation),
    ['private', 'rslave', 'rshared', 'rshared', 'private', 'unknown'],
  );
});

test('a privileged container is told by each runtime in its own place', () => {
  const context = { security_context: { privileged: true } };
  const told = [{ privileged: true }, { config: { linux: context } }, { runtimeSpec: { linux: context } }];
  for (const info of told)
    assert.equal(criContainerRow({ id: 'a' }, info, undefined, 'cri').isPrivileged, true);
  assert.equal(criContainerRow({ id: 'a' }, { privileged: 'yes' }, undefined, 'cri').isPrivileged, false);
});

test('variables are those asked for, or those of the process where no others are told', () => {
  const runtimeSpec = { process: { env: ['PATH=/bin', 'A=1'] } };
  const config = { envs: [{ key: 'A', value: '1' }, { key: 'B' }, { value: 'x' }, 7] };
  const envOf = (info: JsonObject) => criContainerRow({ id: 'a' }, info, undefined, 'cri').env;
  assert.deepEqual(envOf({ config, runtimeSpec }), ['A=1', 'B=']);
  assert.deepEqual(envOf({ runtimeSpec }), ['PATH=/bin', 'A=1']);
});

test('namespaces of the node are the pod`s or the container`s own', () => {
  const pod = criSandboxOf(
    {
      id: 's',
      network: { ip: '10.0.0.1' },
      linux: { namespaces: { options: { network: 'NODE', ipc: 2, pid: 'POD' } } },
    },
    undefined,
  );
  const info = { config: { linux: { security_context: { namespace_options: { pid: 2 } } } } };
  const row = criContainerRow({ id: 'a' }, info, pod, 'cri');
  assert.deepEqual([row.hostPid, row.hostNetwork, row.hostIpc, row.ip], [true, true, true, '']);
});

test('of the network only addresses that are some, and the pod`s own interfaces are shown', () => {
  const interfaces = {
    lo: { IPConfigs: [] },
    vethb875c3c3: { Mac: '1' },
    eth0: { Mac: 'm', Sandbox: '/s', IPConfigs: [{ IP: '10.0.0.1', Gateway: '10.0.0.254' }] },
  };
  const sandbox = criSandboxOf(
    { id: 's', network: { ip: '10.0.0.1' } },
    { cniResult: { Interfaces: interfaces } },
  );
  assert.equal(sandbox.cniJson, '{"eth0":{"IPConfigs":[{"Gateway":"10.0.0.254","IP":"10.0.0.1"}]}}');
  assert.equal(sandbox.ip, '10.0.0.1');
  assert.equal(criSandboxOf({ id: 's', network: { ip: '999.1.1.1' } }, undefined).ip, '');
  const annotations = { 'io.kubernetes.cri-o.CNIResult': '{"cniVersion":"1.0.0"}\n' };
  assert.equal(criSandboxOf({ id: 's' }, { runtimeSpec: { annotations } }).cniJson, '{"cniVersion":"1.0.0"}');
});

test('a CNI result without end is cut', () => {
  let value: unknown = 1;
  for (let i = 0; i < 5000; i++) value = [value];
  const deep = criSandboxOf({ id: 's' }, { cniResult: { Interfaces: { eth0: { value } } } });
  assert.ok(deep.cniJson.length <= 4096);
  const annotations = { 'io.kubernetes.cri-o.CNIResult': 'x'.repeat(10_000) };
  assert.equal(criSandboxOf({ id: 's' }, { runtimeSpec: { annotations } }).cniJson.length, 4096);
});

test('exec probes are those of the container of this name', () => {
  const containers = [
    { name: 'other', livenessProbe: { exec: { command: ['/no'] } } },
    {
      name: 'web',
      livenessProbe: { exec: { command: ['/bin/cat', '/tmp/ok'] } },
      readinessProbe: { httpGet: { port: 80 } },
    },
  ];
  const text = JSON.stringify({ spec: { containers } });
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': text };
  assert.deepEqual(criProbesOf(annotations, 'web'), {
    livenessProbe: { exe: '/bin/cat', args: ['/tmp/ok'] },
    readinessProbe: undefined,
  });
  assert.equal(criProbesOf(annotations, 'third').livenessProbe, undefined);
});

const any = (value: object) => ({ type_url: 'any', value: Buffer.from(JSON.stringify(value)) });

/** As containerd 1.6 keeps them, shortened. */
const SANDBOX_RECORD: JsonObject = {
  id: 'b'.repeat(64),
  labels: { 'io.cri-containerd.kind': 'sandbox', app: 'web' },
  image: 'localhost/pause:lab',
  created_at: { seconds: '1795486701', nanos: 519000545 },
  spec: any({ linux: { cgroupsPath: `/kubepods/podu1/${'b'.repeat(64)}` } }),
  extensions: {
    'io.cri-containerd.sandbox.metadata': any({
      Version: 'v1',
      Metadata: {
        ID: 'b'.repeat(64),
        Name: 'pod-x_ns-1_uid-1_0',
        Config: {
          metadata: { name: 'pod-x', uid: 'uid-1', namespace: 'ns-1' },
          labels: { app: 'web' },
          linux: { security_context: { namespace_options: { pid: 1 } } },
        },
        IP: '10.201.7.2',
        CNIResult: {
          Interfaces: { eth0: { IPConfigs: [{ IP: '10.201.7.2', Gateway: '10.201.7.1' }], Mac: 'x' } },
        },
      },
    }),
  },
};

const CONTAINER_RECORD: JsonObject = {
  id: HEX,
  labels: { 'io.cri-containerd.kind': 'container', 'io.kubernetes.container.name': 'c' },
  image: 'localhost/t/busybox:1',
  created_at: { seconds: '1795486891', nanos: 839178700 },
  spec: any({ process: { env: ['PATH=/bin'] } }),
  extensions: {
    'io.cri-containerd.container.metadata': any({
      Metadata: {
        SandboxID: 'b'.repeat(64),
        ImageRef: `sha256:${HEX}`,
        Config: {
          metadata: { name: 'c', attempt: 2 },
          envs: [{ key: 'A', value: 'ü=1' }],
          mounts: [{ container_path: '/h', host_path: '/srv', readonly: true }],
        },
      },
    }),
  },
};

test('the record of a sandbox tells all that CRI will', () => {
  const record = criRecordOf(SANDBOX_RECORD);
  const sandbox = criSandboxOf(record.status, record.info);
  const row = criSandboxRow(sandbox, record.status, record.info, 'containerd');
  assert.deepEqual([record.isSandbox, record.isWhole], [true, true]);
  assert.deepEqual(
    [row.name, row.ip, row.isPodSandbox, row.createdTimeNs],
    ['pod-x', '10.201.7.2', true, 1795486701519000545n],
  );
  assert.equal(row.labels.get('io.kubernetes.pod.uid'), 'uid-1');
  // containerd's own mark is no label of the pod.
  assert.deepEqual([...row.podSandboxLabels], [['app', 'web']]);
  assert.equal(row.podSandboxCniJson, '{"eth0":{"IPConfigs":[{"Gateway":"10.201.7.1","IP":"10.201.7.2"}]}}');
  assert.equal(row.cgroupPath, `/kubepods/podu1/${'b'.repeat(64)}`);
});

test('the record of a sandbox without its extension, or without an address, is not whole', () => {
  const bare = criRecordOf({ ...SANDBOX_RECORD, extensions: {} });
  assert.deepEqual([bare.isSandbox, bare.isWhole], [true, false]);
  const spec = any({ annotations: { 'io.kubernetes.cri.container-type': 'sandbox' } });
  assert.equal(criRecordOf({ id: 'x', spec }).isSandbox, true);
});

test('the record of a container tells its sandbox, variables and mounts', () => {
  const record = criRecordOf(CONTAINER_RECORD);
  const row = criContainerRow(record.status, record.info, undefined, 'containerd');
  assert.deepEqual([record.isSandbox, record.isWhole, record.sandboxId], [false, true, 'b'.repeat(64)]);
  assert.deepEqual([row.name, row.image, row.imageId], ['c', 'localhost/t/busybox:1', HEX]);
  assert.deepEqual(row.env, [Buffer.from('A=ü=1').toString('latin1')]);
  assert.equal(row.mounts[0]?.source, '/srv');
  assert.equal(row.podSandboxId, 'b'.repeat(64));
});

test('the image of a record gets the names that CRI tells', () => {
  const { status, info } = criRecordOf(CONTAINER_RECORD);
  const imageOf = (image: JsonObject) => {
    const row = criContainerRow(
      withImageNames(status, { id: `sha256:${HEX}`, ...image }),
      info,
      undefined,
      'containerd',
    );
    return [row.image, row.imageId, row.imageTag, row.imageDigest];
  };
  const digest = `sha256:${'a'.repeat(64)}`;
  assert.deepEqual(
    imageOf({ repo_tags: ['reg.example/a:2', 'b:3'], repo_digests: [`reg.example/a@${digest}`] }),
    ['reg.example/a:2', HEX, '2', digest],
  );
  assert.deepEqual(imageOf({ repo_tags: [], repo_digests: [] }), [
    'localhost/t/busybox:1',
    HEX,
    '1',
    `sha256:${HEX}`,
  ]);
});

/** Objects with the members that are read, of any type. */
const MEMBERS = [
  'id',
  'metadata',
  'name',
  'uid',
  'image',
  'image_ref',
  'image_id',
  'labels',
  'annotations',
  'mounts',
  'network',
  'ip',
  'linux',
  'namespaces',
  'options',
  'pid',
  'config',
  'envs',
  'runtimeSpec',
  'cgroupsPath',
  'cniResult',
  'Interfaces',
  'sandboxID',
  'created_at',
  'state',
  'spec',
  'extensions',
  'process',
  'security_context',
  'io.cri-containerd.kind',
  'io.cri-containerd.sandbox.metadata',
  '__proto__',
  'seconds',
  'nanos',
  'value',
];
const { tree: hostile } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    fc.string({ unit: 'binary' }),
    fc.constantFrom('sha256:', '@sha256:x', ':', 'sandbox', '1', '-1', null, true, -1, 1e300, undefined),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...MEMBERS), tie('tree'), { maxKeys: 8 }),
    fc.dictionary(fc.constantFrom(...MEMBERS), tie('tree'), { maxKeys: 3 }).map(any),
  ),
}));
const hostileObject = fc.dictionary(fc.constantFrom(...MEMBERS), hostile, { maxKeys: 20 });

test('whatever answers hold, rows are made whose text is binary strings', () => {
  fc.assert(
    fc.property(hostileObject, hostileObject, hostileObject, (status, info, pod) => {
      const sandbox = criSandboxOf(pod, info);
      const record = criRecordOf(status);
      const rows = [
        criContainerRow(status, info, sandbox, 'cri'),
        criSandboxRow(sandbox, status, info, 'cri'),
        criContainerRow(record.status, record.info, undefined, 'cri'),
      ];
      for (const row of rows) {
        assert.doesNotMatch(containerJsonOf(row), /[\u0100-\uffff]/);
        assert.equal(row.isComplete, false);
        assert.ok(row.createdTimeNs >= 0n);
      }
    }),
    { numRuns: 500 },
  );
});

test('labels in another order make the same row', () => {
  const pod = criSandboxOf({ id: 's', metadata: { name: 'p' } }, undefined);
  const textOf = (labels: object) =>
    containerJsonOf(criContainerRow({ id: 'a', labels }, undefined, pod, 'cri'));
  assert.equal(textOf({ b: '1', zz: '2', a: '3' }), textOf({ zz: '2', a: '3', b: '1' }));
});

test('of lists without end only so much is kept', () => {
  const many = Array.from({ length: 50_000 }, (_, i) => ({ key: `k${i}`, value: 'v', host_path: '/x' }));
  const labels = Object.fromEntries(many.map(({ key }) => [key, 'v']));
  const row = criContainerRow(
    { id: 'a', labels, mounts: many },
    { config: { envs: many } },
    undefined,
    'cri',
  );
  assert.deepEqual([row.labels.size, row.mounts.length, row.env.length], [1024, 1024, 1024]);
});
