/** Pods for tests. */
import type { KubeObject, PodRow } from '../../server/state/pod-table.ts';

export const POD_UID = '6f0f3a52-1c1e-4b6e-9d3a-0123456789ab';

export function kubeObject(
  kind: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): KubeObject {
  return { kind, name, uid: `uid-of-${name}`, labels: new Map(Object.entries(labels)) };
}

export function podRow(members: Partial<PodRow> = {}): PodRow {
  return {
    uid: POD_UID,
    staticUid: '',
    name: 'cart-7f9c-x2x4',
    namespace: 'shop',
    namespaceUid: 'uid-of-shop',
    namespaceLabels: new Map([['team', 'sales']]),
    labels: new Map([
      ['tier', 'web'],
      ['app', 'cart'],
    ]),
    annotations: new Map([['note', 'hand made']]),
    ips: ['fd00::7', '10.1.2.3'],
    nodeName: 'node-1',
    isHostNetwork: false,
    owners: [
      kubeObject('ReplicaSet', 'cart-7f9c', { hash: '7f9c' }),
      kubeObject('Deployment', 'cart', { app: 'cart' }),
    ],
    services: [kubeObject('Service', 'cart', { a: '1' }), kubeObject('Service', 'front')],
    containerIds: [],
    isComplete: true,
    ...members,
  };
}
