import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { containerJsonOf } from '../../../server/container/container-rows.ts';
import { containerdRow, timestampNs } from '../../../server/container/runtime/containerd-rows.ts';
import {
  ociCgroupPath,
  ociIsPrivileged,
  ociMounts,
  ociSharesHost,
} from '../../../server/container/runtime/oci-spec.ts';

const HEX = '0123456789abcdef'.repeat(4);

/** What the spec says, and what /proc/PID/cgroup shows. */
const CGROUPS: readonly (readonly [string, string])[] = [
  ['/lab/n1', '/lab/n1'],
  ['/lab//n1/', '/lab/n1'],
  ['/', ''],
  ['', ''],
  ['n1', ''],
  [`system.slice:docker:${HEX}`, `/system.slice/docker-${HEX}.scope`],
  [':runc:x', '/system.slice/runc-x.scope'],
  ['-.slice:runc:x', '/runc-x.scope'],
  ['a-b.slice::x', '/a.slice/a-b.slice/x.scope'],
  ['a.slice:p:b.slice', '/a.slice/b.slice'],
  [
    `kubepods-burstable-pod1.slice:cri-containerd:${HEX}`,
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-${HEX}.scope`,
  ],
  ['a:b', ''],
  ['a:b:c:d', ''],
];

for (const [cgroupsPath, path] of CGROUPS) {
  test(`the cgroup "${cgroupsPath.replace(HEX, 'ID')}" is ${path === '' ? 'not told' : path.replace(HEX, 'ID')}`, () => {
    assert.equal(ociCgroupPath({ linux: { cgroupsPath } }), path);
  });
}

const PRIVILEGED = {
  process: { capabilities: { bounding: ['CAP_CHOWN', 'CAP_SYS_ADMIN'] } },
  mounts: [{ type: 'sysfs', options: ['nosuid'] }],
  linux: { namespaces: [] },
};

test('a container is privileged when nothing shields the node from it', () => {
  assert.equal(ociIsPrivileged(PRIVILEGED), true);
  const shielded = [
    {},
    { ...PRIVILEGED, process: {} },
    { ...PRIVILEGED, process: { ...PRIVILEGED.process, apparmorProfile: 'cri-containerd.apparmor.d' } },
    { ...PRIVILEGED, process: { ...PRIVILEGED.process, selinuxLabel: 'x' } },
    { ...PRIVILEGED, mounts: [{ type: 'cgroup', options: ['ro'] }] },
    { ...PRIVILEGED, linux: { maskedPaths: ['/proc/kcore'] } },
    { ...PRIVILEGED, linux: { readonlyPaths: [] } },
    { ...PRIVILEGED, linux: { seccomp: {} } },
  ];
  for (const spec of shielded) assert.equal(ociIsPrivileged(spec), false, JSON.stringify(spec));
});

test('a namespace that the spec does not list is the node`s', () => {
  const spec = { linux: { namespaces: [{ type: 'pid' }, { type: 'network', path: '/proc/1/ns/net' }] } };
  assert.deepEqual(
    ['pid', 'network', 'ipc'].map((type) => ociSharesHost(spec, type)),
    [false, false, true],
  );
  assert.equal(ociSharesHost({}, 'pid'), false);
});

test('mounts tell mode, writability and propagation by their options', () => {
  const mounts = [
    { source: 'tmpfs', destination: '/dev', options: ['nosuid', 'mode=755'] },
    { source: '/tmp', destination: '/h', options: ['rbind', 'rslave', 'ro'] },
    'none',
    {},
  ];
  assert.deepEqual(ociMounts({ mounts, linux: { rootfsPropagation: 'rshared' } }), [
    { source: 'tmpfs', destination: '/dev', mode: '755', rdwr: true, propagation: 'rshared' },
    { source: '/tmp', destination: '/h', mode: '', rdwr: false, propagation: 'rslave' },
    { source: '', destination: '', mode: '', rdwr: true, propagation: 'rshared' },
  ]);
});

const spec = {
  type_url: 'spec',
  value: Buffer.from(JSON.stringify({ process: { env: ['A=1'] }, linux: {} })),
};

test('a container is called by its label, else by its id', () => {
  const nameOf = (id: string, labels: object = {}) => containerdRow({ id, labels, spec }, '')?.name;
  assert.equal(nameOf('my-own.name_1'), 'my-own.name_1');
  assert.equal(nameOf(HEX), HEX.slice(0, 12));
  assert.equal(nameOf(HEX, { 'nerdctl/name': 'web' }), 'web');
  assert.equal(nameOf(HEX, { 'io.kubernetes.pod.name': 'pod', 'io.kubernetes.container.name': 'c' }), 'c');
});

test('a record without a spec is incomplete, one without an id is none', () => {
  assert.equal(containerdRow({ id: 'n1', spec }, '')?.isComplete, true);
  assert.equal(containerdRow({ id: 'n1' }, '')?.isComplete, false);
  assert.equal(containerdRow({ id: 'n1', spec: { value: Buffer.from('{"a":') } }, '')?.isComplete, false);
  assert.equal(containerdRow({ spec }, ''), undefined);
});

test('times before 1970 and of other types are unknown', () => {
  assert.equal(timestampNs({ seconds: '1795486732', nanos: 336260526 }), 1795486732336260526n);
  for (const value of [
    undefined,
    {},
    { seconds: '-62135596800' },
    { seconds: 1 },
    { seconds: '9'.repeat(30) },
  ]) {
    assert.equal(timestampNs(value), 0n);
  }
});

test('whatever a record holds, the row`s text is binary strings', () => {
  const json = fc.json({ maxDepth: 4 }).map((text) => ({ value: Buffer.from(text) }));
  const specJson = fc
    .record({
      process: fc.jsonValue(),
      linux: fc.jsonValue(),
      mounts: fc.array(fc.jsonValue()),
      annotations: fc.jsonValue(),
    })
    .map((value) => ({ value: Buffer.from(JSON.stringify(value)) }));
  const record = fc.record({
    id: fc.oneof(fc.string({ unit: 'binary' }), fc.anything()),
    labels: fc.oneof(fc.dictionary(fc.string({ unit: 'binary' }), fc.anything()), fc.anything()),
    image: fc.oneof(fc.string({ unit: 'binary' }), fc.anything()),
    created_at: fc.anything(),
    spec: fc.oneof(json, specJson, fc.anything()),
  });
  fc.assert(
    fc.property(record, (container) => {
      const row = containerdRow(container, '');
      if (row !== undefined) assert.doesNotMatch(containerJsonOf(row), /[\u0100-\uffff]/);
    }),
    { numRuns: 500 },
  );
});
