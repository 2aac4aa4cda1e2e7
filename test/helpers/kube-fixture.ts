/** Clients of a fake API server, without a machine's own configuration. */
import { KubeAccess } from '../../server/kubernetes/kube-access.ts';
import { KubeClient } from '../../server/kubernetes/kube-client.ts';
import type { PodSourceOptions } from '../../server/kubernetes/pod-source.ts';

export const KUBE_LIMITS = { answerBytesMax: 4 * 1024 * 1024, callTimeoutMs: 20_000 };

export function kubeAccess(apiUrl: string, apiCert?: string): KubeAccess {
  const found = KubeAccess.find({ apiUrl, apiCert, kubeconfig: undefined, env: {} }, () => 0);
  if (found === undefined) throw new Error('no access');
  return found;
}

export function kubeClient(apiUrl: string, limits = KUBE_LIMITS): KubeClient {
  return new KubeClient(kubeAccess(apiUrl), limits);
}

export function podSourceOptions(members: Partial<PodSourceOptions> = {}): PodSourceOptions {
  return {
    nodeName: 'node-1',
    limits: KUBE_LIMITS,
    watchMs: 300_000,
    pageSize: 3,
    pageWaitMs: 10,
    podsMax: 1000,
    listsMax: 500,
    ...members,
  };
}
