/** Questions about pods. */
import type { Pod, PodOwner } from '../../../proto/gen/strata/v1/state.ts';
import type {
  GetPodRequest,
  GetPodResponse,
  ListPodsRequest,
  ListPodsResponse,
} from '../../../proto/gen/strata/v1/state_service.ts';
import { invalidArgument, notFound, StrataError } from '../../event/strata-error.ts';
import type { StateView } from '../../state/os-state.ts';
import type { KubeObject, PodRow } from '../../state/pod-table.ts';
import { type ListOrder, pageOf } from './page.ts';
import type { QueryContext } from './query-context.ts';
import { viewOf } from './scope.ts';
import { binaryOf, labelsOf, utf8Of } from './text.ts';

const BY_UID: ListOrder<PodRow> = { text: ({ uid }) => uid, number: () => 0 };
/** Pods that an error lists of those that an ambiguous name stands for. */
const LISTED_MAX = 16;

/** By its uid, or by the one that a static pod's cgroups carry. Throws StrataError NOT_FOUND. */
export function mustFindPod(view: StateView, uid: string): PodRow {
  const key = view.findPodKey(binaryOf(uid));
  const row = key === undefined ? undefined : view.findPod(key);
  if (row === undefined) throw notFound(`no pod with uid ${uid}`);
  return row;
}

/** By `NAMESPACE/NAME`, or by a name that is unique on the node. */
function mustFindPodByName(view: StateView, text: string): PodRow {
  const wanted = binaryOf(text);
  const isWhole = wanted.includes('/');
  const found = [...view.allPods()].filter(
    ({ name, namespace }) => wanted === (isWhole ? `${namespace}/${name}` : name),
  );
  const [only] = found;
  if (only === undefined) throw notFound(`no pod named ${text}`);
  if (found.length === 1) return only;
  const names = found.slice(0, LISTED_MAX).map(({ name, namespace }) => utf8Of(`${namespace}/${name}`));
  throw new StrataError({
    code: 'FAILED_PRECONDITION',
    message: `${found.length} pods named ${text}: ${names.join(', ')}`,
    reason: 'AMBIGUOUS',
    suggestions: names,
  });
}

export function getPod({ podUid, name, scope }: GetPodRequest, { inspector }: QueryContext): GetPodResponse {
  if (podUid === '' && name === '') throw invalidArgument('pod_uid', 'a pod uid or a name is needed');
  if (podUid !== '' && name !== '') throw invalidArgument('name', 'a pod uid is given as well');
  const view = viewOf(scope, inspector);
  return { pod: podMessage(view, name === '' ? mustFindPod(view, podUid) : mustFindPodByName(view, name)) };
}

export function listPods(request: ListPodsRequest, { inspector }: QueryContext): ListPodsResponse {
  const view = viewOf(request.scope, inspector);
  const { rows, page } = pageOf<PodRow>(view.allPods(), BY_UID, request.page);
  return { pods: rows.map((row) => podMessage(view, row)), page };
}

export function podMessage(view: StateView, row: PodRow): Pod {
  return {
    uid: utf8Of(row.uid),
    name: utf8Of(row.name),
    namespace: utf8Of(row.namespace),
    namespaceUid: utf8Of(row.namespaceUid),
    labels: labelsOf(row.labels),
    annotations: labelsOf(row.annotations),
    namespaceLabels: labelsOf(row.namespaceLabels),
    ips: row.ips.map(utf8Of),
    owners: row.owners.map(objectMessage),
    services: row.services.map((service) => {
      const { name, uid, labels } = objectMessage(service);
      return { name, uid, labels };
    }),
    containerIds: row.containerIds.map(utf8Of),
    sandboxId: utf8Of(sandboxOf(view, row)),
    nodeName: utf8Of(row.nodeName),
    hasHostNetwork: row.isHostNetwork,
    staticUid: utf8Of(row.staticUid),
    isComplete: row.isComplete,
  };
}

/** As runtimes tell it of the pod's containers. */
function sandboxOf(view: StateView, row: PodRow): string {
  for (const id of row.containerIds) {
    const sandbox = view.findContainer(id)?.podSandboxId ?? '';
    if (sandbox !== '') return sandbox;
  }
  return '';
}

function objectMessage({ kind, name, uid, labels }: KubeObject): PodOwner {
  return { kind: utf8Of(kind), name: utf8Of(name), uid: utf8Of(uid), labels: labelsOf(labels) };
}
