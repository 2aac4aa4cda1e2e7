import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareContainer } from '../../../server/container/container-rows.ts';
import { FIELD_ROWS } from '../../../server/fields/catalogue.ts';
import type { FieldValue } from '../../../server/fields/field.ts';
import { podJsonOf } from '../../../server/kubernetes/pod-rows.ts';
import type { PodRow } from '../../../server/state/pod-table.ts';
import type { CgroupEntry } from '../../../server/state/thread-info.ts';
import { EventContext } from '../../helpers/event-context.ts';
import { bindField } from '../../helpers/event-fields.ts';
import { kubeObject, POD_UID, podRow } from '../../helpers/pod-row.ts';

const ID = '0123456789abcdef'.repeat(4);
const SANDBOX = 'fedcba9876543210'.repeat(4);

/** The fields of an event of a thread in this container and these cgroups, with the pods given. */
function reader(pods: readonly PodRow[], containerId = '', cgroups: readonly CgroupEntry[] = []) {
  const context = new EventContext();
  const thread = context.process(1000, 'nginx');
  thread.containerId = containerId;
  thread.cgroups = cgroups;
  for (const pod of pods) context.state.pods.set(pod.uid, pod);
  const get = (field: string): FieldValue => bindField(field)(context.show('PPME_SYSCALL_CLOSE_X'));
  return { context, get };
}

const IN_POD: readonly CgroupEntry[] = [['cpu', `/kubepods/burstable/pod${POD_UID}/${ID}`]];

test('a pod shows itself, its namespace, owners, services and annotations', () => {
  const { get } = reader([podRow()], ID, IN_POD);
  const expected: Readonly<Record<string, FieldValue>> = {
    'k8s.pod.name': 'cart-7f9c-x2x4',
    'k8s.pod.uid': POD_UID,
    'k8s.pod.id': POD_UID,
    'k8s.ns.name': 'shop',
    'k8s.ns.id': 'uid-of-shop',
    'k8s.ns.label[team]': 'sales',
    'k8s.ns.labels': 'team:sales',
    'k8s.pod.label[tier]': 'web',
    'k8s.pod.labels': 'app:cart, tier:web',
    'k8s.pod.ip': '10.1.2.3',
    'k8s.pod.annotation[note]': 'hand made',
    'k8s.pod.annotations': 'note:hand made',
    'k8s.node.name': 'node-1',
    'k8s.rs.name': 'cart-7f9c',
    'k8s.rs.id': 'uid-of-cart-7f9c',
    'k8s.rs.label[hash]': '7f9c',
    'k8s.deployment.name': 'cart',
    'k8s.deployment.labels': 'app:cart',
    'k8s.svc.name': 'cart, front',
    'k8s.svc.id': 'uid-of-cart, uid-of-front',
    'k8s.svc.labels': 'a:1',
    'k8s.rc.name': undefined,
    'k8s.daemonset.name': undefined,
    'k8smeta.pod.name': 'cart-7f9c-x2x4',
    'k8smeta.pod.ip': 'fd00::7',
    'k8smeta.ns.uid': 'uid-of-shop',
    'k8smeta.deployment.uid': 'uid-of-cart',
    'k8smeta.rc.uid': undefined,
  };
  for (const [field, value] of Object.entries(expected)) assert.equal(get(field), value, field);
  assert.deepEqual(get('k8smeta.svc.name'), ['cart', 'front']);
  assert.deepEqual(get('k8smeta.svc.label[a]'), ['1']);
  assert.deepEqual(get('k8smeta.pod.labels'), ['app:cart', 'tier:web']);
});

test('every kind of owner has its fields', () => {
  const kinds = [
    ['daemonset', 'DaemonSet'],
    ['statefulset', 'StatefulSet'],
    ['job', 'Job'],
    ['cronjob', 'CronJob'],
  ] as const;
  for (const [prefix, kind] of kinds) {
    const { get } = reader([podRow({ owners: [kubeObject(kind, 'own', { a: 'b' })] })], ID, IN_POD);
    const members = ['name', 'uid', 'label[a]', 'labels'].map((member) => get(`k8s.${prefix}.${member}`));
    assert.deepEqual(members, ['own', 'uid-of-own', 'b', 'a:b'], prefix);
  }
});

test('the pod is found by container, by what its runtime says, by its sandbox and by the cgroup', () => {
  const name = (pod: Partial<PodRow>, containerId: string, cgroups: readonly CgroupEntry[] = []) =>
    reader([podRow(pod)], containerId, cgroups);
  assert.equal(name({ containerIds: [ID] }, ID).get('k8smeta.pod.name'), 'cart-7f9c-x2x4');
  assert.equal(name({}, ID).get('k8smeta.pod.name'), undefined);
  const labelled = name({}, ID);
  const labels = new Map([['io.kubernetes.pod.uid', POD_UID]]);
  labelled.context.state.containers.set(ID, { ...bareContainer(ID, ''), labels });
  assert.equal(labelled.get('k8smeta.pod.name'), 'cart-7f9c-x2x4');
  const sandboxed = name({ containerIds: [SANDBOX] }, ID);
  sandboxed.context.state.containers.set(ID, { ...bareContainer(ID, ''), podSandboxId: SANDBOX });
  assert.equal(sandboxed.get('k8smeta.pod.name'), 'cart-7f9c-x2x4');
  const systemd = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${POD_UID.replaceAll('-', '_')}.slice/cri-containerd-${ID}.scope`;
  for (const path of [systemd, `/kubepods/pod${POD_UID}`, `/kubelet/kubepods/besteffort/pod${POD_UID}/x`]) {
    assert.equal(name({}, '', [['', path]]).get('k8smeta.pod.name'), 'cart-7f9c-x2x4', path);
  }
  for (const path of ['/', `/kubepods/${POD_UID}`, `/user.slice/mypod${POD_UID}`, '/kubepods/pod1234']) {
    assert.equal(name({}, '', [['', path]]).get('k8smeta.pod.name'), undefined, path);
  }
});

test('a static pod is found by the uid its cgroups carry', () => {
  const hash = '0123456789abcdef0123456789abcdef';
  const { get } = reader([podRow({ staticUid: hash })], '', [['', `/kubepods/pod${hash}/${ID}`]]);
  assert.equal(get('k8s.pod.name'), 'cart-7f9c-x2x4');
});

test('what the runtime tells stands in for a pod the API server has not told, and labels are those of now', () => {
  const { context, get } = reader([], ID, IN_POD);
  context.state.containers.set(ID, {
    ...bareContainer(ID, ''),
    labels: new Map([['io.kubernetes.pod.name', 'by-runtime']]),
    podSandboxLabels: new Map([['tier', 'old']]),
  });
  assert.equal(get('k8s.pod.name'), 'by-runtime');
  assert.equal(get('k8s.pod.label[tier]'), 'old');
  assert.equal(get('k8s.deployment.name'), undefined);
  context.state.pods.set(POD_UID, podRow());
  assert.equal(get('k8s.pod.label[tier]'), 'web');
  assert.equal(get('k8s.deployment.name'), 'cart');
});

test('events about pods show the pod they name', () => {
  const { context } = reader([podRow()]);
  const show = (data: string): FieldValue =>
    bindField('k8s.pod.name')(
      context.show('PPME_ASYNCEVENT_E', { plugin_id: 0, name: 'k8s_pod', data: `${data}\0` }),
    );
  assert.equal(show(podJsonOf(podRow())), 'cart-7f9c-x2x4');
  for (const text of ['', '{', 'null', '[]', '{"pod":7}', '{"pod":{"uid":[]}}'])
    assert.equal(show(text), undefined);
});

test('no field of pods is listed as one that cannot be filled', () => {
  const rows = FIELD_ROWS.filter(({ fieldClass }) => ['k8s', 'k8smeta'].includes(fieldClass));
  assert.ok(rows.length > 60);
  assert.deepEqual(
    rows.filter((row) => row.unavailable !== undefined).map(({ name }) => name),
    [],
  );
});
