import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthcheckOf, podProbesOf } from '../../../server/container/runtime/docker-probes.ts';
import { epochSecondsNs, rfc3339Ns } from '../../../server/container/runtime/http-time.ts';

const SHELL = ['/bin/sh', '-c'];
const POD_LABEL = 'annotation.kubectl.kubernetes.io/last-applied-configuration';

test('a health check is a command, or a text for a shell', () => {
  const check = (Test: unknown, shell: readonly string[] = SHELL): unknown =>
    healthcheckOf({ Healthcheck: { Test } }, shell);
  assert.deepEqual(check(['CMD', 'curl', '-f', '"x"']), { exe: 'curl', args: ['-f', '"x"'] });
  assert.deepEqual(check(['CMD-SHELL', 'a || ü']), { exe: '/bin/sh', args: ['-c', 'a || \xc3\xbc'] });
  assert.deepEqual(check(['CMD-SHELL', 'x'], ['/bin/bash', '-ec']), { exe: '/bin/bash', args: ['-ec', 'x'] });
});

test('no health check is none', () => {
  for (const value of [['NONE'], [], ['CMD'], ['CMD-SHELL'], ['CMD', ''], ['OTHER', 'x'], 'CMD', null, 5]) {
    assert.equal(healthcheckOf({ Healthcheck: { Test: value } }, SHELL), undefined);
  }
  for (const config of [undefined, {}, { Healthcheck: null }, []]) {
    assert.equal(healthcheckOf(config, SHELL), undefined);
  }
});

test('probes are those of the container of that name, exec probes only', () => {
  const probe = (...command: unknown[]): object => ({ exec: { command } });
  const pod = JSON.stringify({
    spec: {
      containers: [
        null,
        { name: 'a', livenessProbe: probe('no') },
        { name: 'b', livenessProbe: { httpGet: {} }, readinessProbe: probe('cat', 'ü') },
      ],
    },
  });
  const binaryPod = Buffer.from(pod).toString('latin1');
  const labels = new Map([['io.kubernetes.container.name', 'b']]);
  const expected = { liveness: undefined, readiness: { exe: 'cat', args: ['\xc3\xbc'] } };
  assert.deepEqual(podProbesOf(labels, new Map([[POD_LABEL, binaryPod]])), expected);
  assert.deepEqual(podProbesOf(new Map([...labels, [POD_LABEL, binaryPod]]), new Map()), expected);
  const none = { liveness: undefined, readiness: undefined };
  assert.deepEqual(podProbesOf(new Map(), new Map([[POD_LABEL, binaryPod]])), none);
  for (const text of ['', 'nonsense', '[]', '{"spec":[]}', '{"spec":{"containers":{}}}']) {
    assert.deepEqual(podProbesOf(labels, new Map([[POD_LABEL, text]])), none);
  }
});

test('times have all their digits', () => {
  assert.equal(rfc3339Ns('2026-11-24T02:19:01.606014054Z'), 1_795_486_741_606_014_054n);
  assert.equal(rfc3339Ns('2026-11-24T04:19:01.6+02:00'), 1_795_486_741_600_000_000n);
  assert.equal(rfc3339Ns('2026-11-24T02:19:01Z'), 1_795_486_741_000_000_000n);
  for (const value of ['0001-01-01T00:00:00Z', '2026-13-45T99:00:00Z', 'today', '', 5, null, undefined]) {
    assert.equal(rfc3339Ns(value), 0n);
  }
  assert.equal(epochSecondsNs(1_795_486_741), 1_795_486_741_000_000_000n);
  for (const value of [0, -1, 1.5, Number.NaN, 1e300, '5', null]) assert.equal(epochSecondsNs(value), 0n);
});
