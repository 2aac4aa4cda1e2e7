/** Pods for people: one line each, or one as `name: value` lines. */
import type { Pod } from '../../proto/gen/strata/v1/state.ts';
import { labelsOf } from './container-view.ts';
import type { TableColumn } from './table.ts';

export const POD_COLUMNS: readonly TableColumn<Pod>[] = [
  { title: 'NAMESPACE', value: (row) => row.namespace },
  { title: 'NAME', value: (row) => row.name },
  { title: 'IP', value: (row) => row.ips[0] ?? '' },
  { title: 'OWNER', value: (row) => ownerOf(row) },
  { title: 'SERVICES', value: (row) => row.services.map(({ name }) => name).join(' ') },
  { title: 'CONTAINERS', align: 'right', value: (row) => String(row.containerIds.length) },
  { title: 'UID', value: (row) => row.uid },
];

/** The last of the chain: the one somebody has made. */
function ownerOf({ owners }: Pod): string {
  const owner = owners.at(-1);
  return owner === undefined ? '' : `${owner.kind}/${owner.name}`;
}

/** What is not known is left out. */
export function podPairs(pod: Pod): [name: string, value: string][] {
  const pairs: [string, string][] = [
    ['uid', pod.uid],
    ['static uid', pod.staticUid],
    ['namespace', pod.namespace],
    ['name', pod.name],
    ['state', pod.isComplete ? '' : 'owners, namespace or services are still looked for'],
    ['node', pod.nodeName],
    ['ip', pod.ips.join(' ')],
    ['host network', pod.hasHostNetwork ? 'yes' : ''],
    ['labels', labelsOf(pod.labels)],
    ['annotations', labelsOf(pod.annotations)],
    ['namespace labels', labelsOf(pod.namespaceLabels)],
    ...pod.owners.map((owner): [string, string] => ['owner', memberText(owner.kind, owner)]),
    ...pod.services.map((service): [string, string] => ['service', memberText('', service)]),
    ['sandbox', pod.sandboxId],
    ...pod.containerIds.map((id): [string, string] => ['container', id]),
  ];
  return pairs.filter(([, value]) => value !== '');
}

function memberText(
  kind: string,
  { name, uid, labels }: { name: string; uid: string; labels: { readonly [key: string]: string } },
): string {
  return [kind === '' ? name : `${kind}/${name}`, uid, labelsOf(labels)].filter(Boolean).join('  ');
}
