import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globMatcher } from '../../../server/fields/container-mounts.ts';
import type { FieldValue } from '../../../server/fields/field.ts';
import { bindField } from '../../../server/fields/field-reference.ts';
import type { ContainerRow } from '../../../server/state/container-table.ts';
import { FD_FILE_V2 } from '../../../server/state/fd-info.ts';
import { EventContext, fdOf } from '../../helpers/event-context.ts';

const FULL_ID = '0123456789abcdef'.repeat(4);
const SANDBOX_ID = 'fedcba9876543210'.repeat(4);

const ROW: ContainerRow = {
  id: FULL_ID.slice(0, 12),
  fullId: FULL_ID,
  type: 'containerd',
  name: 'web',
  image: 'nginx:1.27',
  imageId: 'abc',
  imageRepository: 'nginx',
  imageTag: '1.27',
  imageDigest: '',
  isPrivileged: true,
  hostPid: false,
  hostNetwork: true,
  hostIpc: false,
  ip: '10.0.0.2',
  cniJson: '',
  mounts: [
    { source: '/var/lib/a', destination: '/data', mode: 'rw', rdwr: true, propagation: 'rprivate' },
    { source: '/etc', destination: '/host/etc', mode: '', rdwr: false, propagation: '' },
  ],
  labels: new Map([
    ['tier', 'front'],
    ['bare', ''],
    ['io.kubernetes.pod.name', 'web-0'],
    ['io.kubernetes.pod.namespace', 'shop'],
    ['io.kubernetes.pod.uid', 'uid-1'],
    ['annotation.x', 'y'],
  ]),
  env: [],
  podSandboxId: SANDBOX_ID,
  podSandboxLabels: new Map(),
  podSandboxCniJson: '',
  isPodSandbox: false,
  createdTimeNs: 0n,
  healthcheck: undefined,
  livenessProbe: undefined,
  readinessProbe: undefined,
  cgroupPath: '',
  isComplete: true,
};

const context = new EventContext();
const thread = context.process(1000, 'nginx');

function get(field: string): FieldValue {
  return bindField(field).extract(
    context.show('PPME_SYSCALL_CLOSE_X', {}, { ts: 1_700_000_000_000_000_000n }),
  );
}

test('outside of containers the id, name and type are "host" and the rest is absent', () => {
  thread.containerId = '';
  for (const field of ['container.id', 'container.full_id', 'container.name', 'container.type']) {
    assert.equal(get(field), 'host');
  }
  for (const field of ['container.image', 'container.privileged', 'container.mounts', 'k8s.pod.name']) {
    assert.equal(get(field), undefined);
  }
});

test('a container that is only an id has no more than that', () => {
  thread.containerId = FULL_ID;
  assert.equal(get('container.id'), '0123456789ab');
  assert.equal(get('container.name'), undefined);
  context.state.containers.set(FULL_ID, { ...ROW, name: '', image: '', isComplete: false });
  assert.equal(get('container.id'), '0123456789ab');
  assert.equal(get('container.name'), undefined);
  assert.equal(get('container.privileged'), undefined);
});

test('a known container answers its fields; what it does not have is absent', () => {
  thread.containerId = FULL_ID;
  context.state.containers.set(FULL_ID, ROW);
  assert.equal(get('container.full_id'), FULL_ID);
  assert.equal(get('container.image'), 'nginx:1.27');
  assert.equal(get('container.image.digest'), undefined);
  assert.equal(get('container.privileged'), true);
  assert.equal(get('container.host_ipc'), false);
  assert.equal(get('container.label.tier'), 'front');
  assert.equal(get('container.label[nope]'), undefined);
  assert.equal(get('container.labels'), 'bare, tier:front');
  assert.equal(get('container.healthcheck'), undefined);
});

test('mounts are picked by number or by a glob over source or destination', () => {
  thread.containerId = FULL_ID;
  context.state.containers.set(FULL_ID, ROW);
  const first = '/var/lib/a:/data:rw:true:rprivate';
  assert.equal(get('container.mounts'), `${first},/etc:/host/etc::false:`);
  assert.equal(get('container.mount[0]'), first);
  assert.equal(get('container.mount[/var/*]'), first);
  assert.equal(get('container.mount.dest[/etc]'), '/host/etc');
  assert.equal(get('container.mount.source[/host/*]'), '/etc');
  assert.equal(get('container.mount.rdwr[1]'), 'false');
  assert.equal(get('container.mount[2]'), undefined);
  assert.equal(get('container.mount[/nope]'), undefined);
});

test('container times come from the pid namespace of the thread', () => {
  thread.containerId = FULL_ID;
  assert.equal(get('container.start_ts'), undefined);
  thread.pidnsInitStartNs = 1_700_000_000_000_000_000n - 42n;
  assert.equal(get('container.duration'), 42);
});

test('pod fields come from labels and from the sandbox', () => {
  thread.containerId = FULL_ID;
  context.state.containers.set(FULL_ID, ROW);
  assert.equal(get('k8s.pod.name'), 'web-0');
  assert.equal(get('k8s.ns.name'), 'shop');
  assert.equal(get('k8s.pod.uid'), 'uid-1');
  assert.equal(get('k8s.pod.sandbox_id'), 'fedcba987654');
  assert.equal(get('k8s.pod.full_sandbox_id'), SANDBOX_ID);
  assert.equal(get('k8s.pod.labels'), undefined);
  context.state.containers.set(SANDBOX_ID, {
    ...ROW,
    ip: '10.0.0.9',
    podSandboxLabels: new Map([['app', 'web']]),
    podSandboxCniJson: '{}',
  });
  assert.equal(get('k8s.pod.label.app'), 'web');
  assert.equal(get('k8s.pod.labels'), 'app:web');
  assert.equal(get('k8s.pod.ip'), '10.0.0.9');
  assert.equal(get('k8s.pod.cni.json'), '{}');
  assert.equal(get('k8smeta.pod.name'), undefined);
});

test('what a container does not say of its pod, its sandbox does', () => {
  thread.containerId = FULL_ID;
  context.state.containers.set(FULL_ID, { ...ROW, labels: new Map(), podSandboxCniJson: '' });
  const podSandboxLabels = new Map([
    ['io.kubernetes.pod.name', 'db-0'],
    ['io.kubernetes.pod.namespace', 'store'],
  ]);
  context.state.containers.set(SANDBOX_ID, { ...ROW, podSandboxLabels, podSandboxCniJson: '{}' });
  assert.deepEqual(
    [get('k8s.pod.name'), get('k8s.ns.name'), get('k8s.pod.uid')],
    ['db-0', 'store', undefined],
  );
});

test('health checks and probes show their commands', () => {
  thread.containerId = FULL_ID;
  const healthcheck = { exe: '/bin/sh', args: ['-c', 'curl -f localhost'] };
  const livenessProbe = { exe: '/alive', args: [] };
  context.state.containers.set(FULL_ID, { ...ROW, healthcheck, livenessProbe });
  assert.equal(get('container.healthcheck'), '/bin/sh -c curl -f localhost');
  assert.equal(get('container.liveness_probe'), '/alive');
  assert.equal(get('container.readiness_probe'), undefined);
});

test('a process is a probe or is not; of the host it is none', () => {
  const names = ['healthcheck', 'liveness_probe', 'readiness_probe'];
  const marks = (): FieldValue[] => names.map((name) => get(`proc.is_container_${name}`));
  thread.containerId = '';
  assert.deepEqual(marks(), [false, false, false]);
  thread.containerId = FULL_ID;
  context.state.containers.set(FULL_ID, { ...ROW, livenessProbe: { exe: 'cat', args: ['/alive'] } });
  assert.deepEqual(marks(), [false, false, false]);
  thread.exe = 'cat';
  thread.args = ['/alive'];
  assert.deepEqual(marks(), [false, true, false]);
  thread.exe = '';
  thread.args = [];
});

test('an event about a container is of that container', () => {
  const { state } = context;
  state.containers.set(FULL_ID, ROW);
  const about = (name: string, text: string, field: string): FieldValue => {
    const data = Buffer.from(`${text}\0`, 'latin1');
    const event = context.show('PPME_ASYNCEVENT_E', { plugin_id: 0, name, data }, { tid: -1 });
    return bindField(field).extract(event);
  };
  const full = JSON.stringify({ container: { id: FULL_ID.slice(0, 12), full_id: FULL_ID } });
  for (const name of ['container', 'container_removed']) {
    assert.equal(about(name, full, 'container.id'), FULL_ID.slice(0, 12));
    assert.equal(about(name, full, 'container.name'), 'web');
    assert.equal(about(name, full, 'k8s.pod.name'), 'web-0');
  }
  const short = JSON.stringify({ container: { id: FULL_ID.slice(0, 12) } });
  assert.equal(about('container', short, 'container.full_id'), FULL_ID);
  assert.equal(about('other', full, 'container.id'), undefined);
  for (const text of ['', '{', '5', 'null', '{"container":{"id":7}}']) {
    assert.equal(about('container', text, 'container.id'), undefined, text);
  }
});

test('an fd of a container is named with the id that is shown', () => {
  thread.containerId = FULL_ID;
  const event = context.show('PPME_SYSCALL_CLOSE_X', {}, { fdNumber: 3 });
  event.fd = fdOf(FD_FILE_V2, '/data/file');
  assert.equal(bindField('fd.containername').extract(event), '0123456789ab:/data/file');
  assert.equal(bindField('fd.containerdirectory').extract(event), '0123456789ab:/data');
  thread.containerId = '';
  assert.equal(bindField('fd.containername').extract(event), ':/data/file');
});

test('globs match whole texts', () => {
  const cases: readonly (readonly [pattern: string, text: string, matches: boolean])[] = [
    ['/a/*', '/a/b/c', true],
    ['/a/*', '/b', false],
    ['/a?c', '/abc', true],
    ['/[ab]x', '/bx', true],
    ['/[!ab]x', '/bx', false],
    ['/a\\*', '/a*', true],
    ['/a.b', '/axb', false],
    ['/[', '/[', true],
    ['[z-a]', '[z-a]', true],
    ['', '', true],
  ];
  for (const [pattern, text, expected] of cases) assert.equal(globMatcher(pattern)(text), expected, pattern);
});
