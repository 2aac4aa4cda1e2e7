/** Records of the stream from news of pods. */
import { PPME_ASYNCEVENT_E } from '../event/event-types.ts';
import { POD_EVENT, POD_REMOVED_EVENT } from '../parser/pod-events.ts';
import type { PodRow } from '../state/pod-table.ts';
import { buildRecordBytes } from './recording-events.ts';

/** Async events of the syscall source itself, not of a plugin. */
const OWN_PLUGIN_ID = 0;

/** `json`: that of a pod event. */
export function podRecord(json: string): Buffer {
  return buildRecordBytes(PPME_ASYNCEVENT_E, [OWN_PLUGIN_ID, POD_EVENT, json]);
}

export function podRemovalRecord({ uid, name, namespace }: PodRow): Buffer {
  const json = JSON.stringify({ pod: { uid, name, namespace } });
  return buildRecordBytes(PPME_ASYNCEVENT_E, [OWN_PLUGIN_ID, POD_REMOVED_EVENT, json]);
}
