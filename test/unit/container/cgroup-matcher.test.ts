import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchCgroupPath, matchContainer } from '../../../server/container/cgroup-matcher.ts';

const ID = '0123456789abcdef'.repeat(4);
const POD = 'f'.repeat(64);

const CONTAINER_PATHS: readonly (readonly [path: string, type: string])[] = [
  [`/docker/${ID}`, 'docker'],
  [`/system.slice/docker-${ID}.scope`, 'docker'],
  [`/system.slice/${ID}`, ''],
  [`/libpod_parent/libpod-${ID}`, 'podman'],
  [`/libpod_parent/${POD}/libpod-${ID}`, 'podman'],
  [`/machine.slice/libpod-${ID}.scope`, 'podman'],
  [`/machine.slice/libpod-${ID}.scope/container`, 'podman'],
  [`/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope`, 'podman'],
  [`/kubepods/burstable/pod1234/${ID}`, ''],
  [`/kubepods.slice/kubepods-pod1.slice/cri-containerd-${ID}.scope`, 'containerd'],
  [`/kubepods.slice/kubepods-pod1.slice/crio-${ID}.scope`, 'cri-o'],
  [`/kubepods-besteffort-pod1.slice:cri-containerd:${ID}`, 'containerd'],
  [`/docker/${POD}/kubelet/kubepods/pod1/${ID}`, ''],
  [`/docker/${ID}/system.slice/nginx.service`, 'docker'],
];

for (const [path, type] of CONTAINER_PATHS) {
  test(`finds the container in ${path.replaceAll(ID, 'ID').replaceAll(POD, 'POD')}`, () => {
    assert.deepEqual(matchCgroupPath(path), { id: ID, type });
  });
}

test('takes the name where the runtime has no ids of its own', () => {
  assert.deepEqual(matchCgroupPath('/default/web'), { id: 'web', type: 'containerd' });
  assert.deepEqual(matchCgroupPath('/lxc.payload.web/init.scope'), { id: 'web', type: 'lxc' });
});

for (const path of [
  '/',
  '',
  '/user.slice/user-1000.slice/session-1.scope',
  '/system.slice/containerd.service',
  '/test_runner/00000000000000000000000000000000',
  `/libpod_parent/conmon`,
  `/machine.slice/libpod-conmon-${ID}.scope`,
  `/crio-conmon-${ID}.scope`,
  `/system.slice/${ID.toUpperCase()}`,
  `/system.slice/${ID}0`,
]) {
  test(`sees no container in '${path}'`, () => assert.equal(matchCgroupPath(path), undefined));
}

test('tries every membership, as a v2 view leaves the v1 ones at /', () => {
  const match = matchContainer([
    ['cpu', '/'],
    ['', `/docker/${ID}`],
  ]);
  assert.equal(match?.id, ID);
});
