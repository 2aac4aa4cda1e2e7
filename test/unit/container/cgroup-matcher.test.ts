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
  [`/system.slice/system-docker.slice/docker-${ID}.scope/init.scope`, 'docker'],
  [`/system.slice/web.service/libpod-payload-${ID}`, 'podman'],
  [`/machine.slice/machine-libpod_pod_${POD}.slice/libpod-${ID}.scope/container`, 'podman'],
  [`/docker/${POD}/libpod_parent/libpod-${ID}`, 'podman'],
  [`/docker/${ID}/libpod_parent/conmon`, 'docker'],
  [`/docker/${ID}/libpod_parent/${POD}/conmon`, 'docker'],
  [`/default/${ID}`, 'containerd'],
  [`/k8s.io/${ID}`, 'containerd'],
  [`/system.slice/nerdctl-${ID}.scope`, 'containerd'],
  [
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/crio-${ID}.scope/container`,
    'cri-o',
  ],
  [`/kubepods/burstable/pod1/crio-${ID}`, 'cri-o'],
  [`/system.slice/k3s.service/kubepods.slice/kubepods-pod1.slice:cri-containerd:${ID}`, 'containerd'],
  [`/kubepods/besteffort/pod1/kata_${ID}`, ''],
  [`/kata_overhead/${ID}`, ''],
  [`/ecs/${'1'.repeat(32)}/${ID}`, ''],
  [`/lxc.payload.web/docker/${ID}`, 'docker'],
  [`/../../docker-${ID}.scope`, 'docker'],
];

for (const [path, type] of CONTAINER_PATHS) {
  test(`finds the container in ${path.replaceAll(ID, 'ID').replaceAll(POD, 'POD')}`, () => {
    assert.deepEqual(matchCgroupPath(path), { id: ID, type });
  });
}

const NAMED_PATHS: readonly (readonly [path: string, id: string, type: string])[] = [
  ['/default/web', 'web', 'containerd'],
  ['/default/web/init.scope', 'web', 'containerd'],
  ['/lxc/web', 'web', 'lxc'],
  ['/lxc.payload/web/system.slice', 'web', 'lxc'],
  ['/lxc.payload.web/init.scope', 'web', 'lxc'],
  ['/user.slice/lxc.payload.web', 'web', 'lxc'],
  ['/machine/web.libvirt-lxc', 'web', 'libvirt-lxc'],
  ['/machine.slice/machine-lxc\\x2d2293\\x2dweb.scope', '2293\\x2dweb', 'libvirt-lxc'],
  ['/machine.slice/machine-lxc\\x2d2293\\x2dweb.scope/libvirt', '2293\\x2dweb', 'libvirt-lxc'],
  ['/libvirt/lxc/web', 'web', 'libvirt-lxc'],
  ['/system.slice/runc-bpm-web.scope/bpm-web', 'web', 'bpm'],
  ['/bpm-nats.worker', 'nats.worker', 'bpm'],
  ['/mesos/11111111-2222-3333-4444-555555555555', '11111111-2222-3333-4444-555555555555', 'mesos'],
];

for (const [path, id, type] of NAMED_PATHS) {
  test(`takes the name in ${path}`, () => assert.deepEqual(matchCgroupPath(path), { id, type }));
}

for (const path of [
  '/',
  '',
  '/user.slice/user-1000.slice/session-1.scope',
  '/system.slice/containerd.service',
  '/test_runner/00000000000000000000000000000000',
  `/libpod_parent/conmon`,
  `/machine.slice/libpod-conmon-${ID}.scope`,
  `/crio-conmon-${ID}.scope`,
  `/libpod_parent/${ID}`,
  `/libpod_parent/${ID}/conmon`,
  `/machine.slice/machine-libpod_pod_${ID}.slice/libpod-conmon-${ID}.scope`,
  `/lxc.monitor.web`,
  '/lxc',
  '/default',
  '/default/web.service',
  '/prod/web',
  '/system.slice/bpm-agent.service',
  '/machine.slice/machine-qemu\\x2d1\\x2dvm.scope',
  '/mesos/agent',
  '/docker/buildkit/6o8gvtnn9v2tr3kyj8f7m1ab2',
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
