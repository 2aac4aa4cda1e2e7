/** Pods as captures hold them: async events with the whole pod, joined with its owners, namespace and services. */
import { objectOf, parseJson, textOf } from '../container/container-json.ts';
import { podRowOf } from '../kubernetes/pod-rows.ts';
import type { ParserContext } from './parser-context.ts';

/** Names of the async events. */
export const POD_EVENT = 'k8s_pod';
export const POD_REMOVED_EVENT = 'k8s_pod_removed';

/** `text`: JSON from outside; what is no pod changes nothing and is counted. */
export function parsePod(context: ParserContext, text: string): void {
  const json = parseJson(text);
  const row = json === undefined ? undefined : podRowOf(json);
  if (row === undefined) {
    context.counters.podJsonInvalid++;
    return;
  }
  if (context.state.pods.set(row.uid, row)) context.options.onPodStored?.(row.uid);
}

/** The row leaves once all have looked. */
export function parsePodRemoved(context: ParserContext, text: string): void {
  const json = parseJson(text);
  const uid = json === undefined ? '' : textOf(objectOf(json['pod'])?.['uid']);
  if (uid === '') context.counters.podJsonInvalid++;
  else context.removePod = uid;
}
