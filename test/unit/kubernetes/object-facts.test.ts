/** What is taken of objects, whatever they hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson } from '../../../server/container/container-json.ts';
import { listPath, nameSelector, ownerKind, versionsOf } from '../../../server/kubernetes/kube-kinds.ts';
import { objectFacts, podFacts, selects, serviceFacts } from '../../../server/kubernetes/object-facts.ts';
import { podJsonOf, podRowOf } from '../../../server/kubernetes/pod-rows.ts';
import type { KubeObject, PodRow } from '../../../server/state/pod-table.ts';
import { fakeObject, fakePod, fakeService, referenceTo } from '../../helpers/fake-kube-objects.ts';

const binary = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

test('a pod: addresses, containers of all sorts, the network of its host', () => {
  const facts = podFacts(
    fakePod('cart', 'node-1', {
      labels: { t: 'gr\u00fcn' },
      spec: { hostNetwork: true },
      status: {
        podIP: '10.0.0.7',
        podIPs: [{ ip: '10.0.0.7' }, { ip: 'fd00::7' }, {}],
        initContainerStatuses: [{ containerID: 'containerd://aaa' }],
        containerStatuses: [{ containerID: 'cri-o://bbb' }, { containerID: '' }, {}],
        ephemeralContainerStatuses: [{ containerID: 'docker://ccc' }],
      },
    }),
  );
  assert.deepEqual(facts.containerIds, ['aaa', 'bbb', 'ccc']);
  assert.deepEqual(facts.ips, ['10.0.0.7', 'fd00::7']);
  assert.equal(facts.isHostNetwork, true);
  assert.equal(facts.nodeName, 'node-1');
  assert.equal(facts.labels.get('t'), binary('gr\u00fcn'));
  assert.equal(facts.staticUid, '');
});

test('a mirror pod is known by the uid of the pod itself, too', () => {
  const hash = { 'kubernetes.io/config.hash': '5e1f' };
  const mirror = { ...hash, 'kubernetes.io/config.mirror': '5e1f' };
  assert.equal(podFacts(fakePod('etcd', 'n', { annotations: mirror })).staticUid, '5e1f');
  assert.equal(podFacts(fakePod('liar', 'n', { annotations: hash })).staticUid, '');
});

test('the owner that manages it counts, else the first', () => {
  const [set, other] = [fakeObject('ReplicaSet', 'rs'), fakeObject('Job', 'job')];
  const references = [{ ...referenceTo(other), controller: false }, referenceTo(set)];
  const ownerOf = (ownerReferences: unknown) => objectFacts({ metadata: { ownerReferences } }).owner?.name;
  assert.equal(ownerOf(references), 'rs');
  assert.equal(ownerOf(references.slice(0, 1)), 'job');
  assert.equal(ownerOf([]), undefined);
  assert.equal(ownerOf([7, null]), undefined);
});

test('what kubectl keeps for itself is left out, and what is too much', () => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', a: 'xx', b: 'yyyy' };
  assert.deepEqual(
    [...objectFacts({ metadata: { annotations } }, { textBytesMax: 6 }).annotations.keys()],
    ['a'],
  );
});

test('a selector needs every entry; an empty one selects nothing', () => {
  const map = (entries: Record<string, string>) => new Map(Object.entries(entries));
  assert.equal(selects(map({ a: '1' }), map({ a: '1', b: '2' })), true);
  assert.equal(selects(map({ a: '1', c: '' }), map({ a: '1', b: '2' })), false);
  assert.equal(selects(map({}), map({ a: '1' })), false);
  assert.equal(serviceFacts(fakeService('headless', undefined)).selector.size, 0);
});

test('owner kinds are those of Kubernetes, not namesakes in other groups', () => {
  assert.equal(ownerKind('Deployment', 'apps/v1beta2')?.plural, 'deployments');
  assert.equal(ownerKind('Deployment', 'example.com/v1'), undefined);
  assert.equal(ownerKind('Deployment', 'v1'), undefined);
  assert.equal(ownerKind('Node', 'v1'), undefined);
});

test('references of pods cannot change the path or the selector of a request', () => {
  const cron = ownerKind('CronJob', 'batch/v1');
  assert.ok(cron);
  assert.deepEqual(versionsOf(cron, 'batch/v2'), ['batch/v2', 'batch/v1', 'batch/v1beta1']);
  assert.deepEqual(versionsOf(cron, 'batch/v1beta1'), ['batch/v1beta1', 'batch/v1']);
  for (const bad of ['batch/v1/../../../api/v1/secrets?', 'batch/..', 'batch/v1%2f', 'batch/v1?x', '']) {
    assert.deepEqual(versionsOf(cron, bad), ['batch/v1', 'batch/v1beta1'], bad);
  }
  assert.equal(nameSelector('a,b=c\\d'), 'metadata.name=a\\,b\\=c\\\\d');
  assert.equal(listPath(cron, 'batch/v1', 'a/../b'), '/apis/batch/v1/namespaces/a%2F..%2Fb/cronjobs');
});

test('any JSON at all gives facts', () => {
  const names = fc.constantFrom(
    ...['metadata', 'spec', 'status', 'name', 'labels', 'ownerReferences', 'selector', 'podIPs', 'ip', 'uid'],
    ...['containerStatuses', 'containerID', 'annotations', 'controller', '__proto__', 'kind', 'podIP'],
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(names, tie('tree'), { maxKeys: 6 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(names, tree, { maxKeys: 6 }), (object) => {
      const facts = { ...podFacts(object), ...serviceFacts(object) };
      for (const text of [facts.name, facts.uid, facts.namespace, facts.nodeName, ...facts.ips]) {
        assert.equal(typeof text, 'string');
      }
      for (const [key, value] of [...facts.labels, ...facts.selector])
        assert.match(`${key}${value}`, /^[\0-\xff]*$/);
    }),
    { numRuns: 500 },
  );
});

const textOf = (of: fc.Arbitrary<string>) => of.map(binary);
const text = textOf(fc.string({ unit: 'binary', maxLength: 8 }));
const map = fc
  .array(fc.tuple(fc.oneof(text, fc.constantFrom('__proto__', 'constructor', '7', '')), text), {
    maxLength: 4,
  })
  .map((entries) => new Map(entries));
const kubeObject: fc.Arbitrary<KubeObject> = fc.record(
  { kind: text, name: text, uid: text, labels: map },
  { noNullPrototype: true },
);
const filled = textOf(fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }));
const podRow: fc.Arbitrary<PodRow> = fc.record(
  {
    uid: filled,
    staticUid: text,
    name: text,
    namespace: text,
    namespaceUid: text,
    namespaceLabels: map,
    labels: map,
    annotations: map,
    ips: fc.array(filled, { maxLength: 3 }),
    nodeName: text,
    isHostNetwork: fc.boolean(),
    owners: fc.array(kubeObject, { maxLength: 3 }),
    services: fc.array(kubeObject, { maxLength: 3 }),
    containerIds: fc.array(filled, { maxLength: 3 }),
    isComplete: fc.boolean(),
  },
  { noNullPrototype: true },
);

test('a row is the same after its JSON, whatever the text: keys such as __proto__, all of Unicode', () => {
  fc.assert(
    fc.property(podRow, (row) => {
      const json = podJsonOf(row);
      assert.match(json, /^[\0-\xff]*$/);
      const parsed = parseJson(json);
      assert.ok(parsed);
      assert.deepEqual(podRowOf(parsed), row);
    }),
    { numRuns: 500 },
  );
});

test('bytes that are no UTF-8 come back as the sign for that, and nothing else changes', () => {
  const row = fc.sample(podRow, { numRuns: 1, seed: 7 })[0] as PodRow;
  const parsed = parseJson(podJsonOf({ ...row, name: 'a\xffb' }));
  assert.ok(parsed);
  assert.deepEqual(podRowOf(parsed), { ...row, name: binary('a\ufffdb') });
});

test('JSON that names no pod is no row', () => {
  for (const json of [{}, { pod: 7 }, { pod: {} }, { pod: { uid: 7 } }, { pod: [] }]) {
    assert.equal(podRowOf(json), undefined);
  }
});
