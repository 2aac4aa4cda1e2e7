/** Podman's event stream: what is asked for, and what its events mean. */
import { type JsonObject, objectOf, textOf } from '../container-json.ts';
import { bareContainer } from '../container-rows.ts';
import { imageMembers, isFullId } from './docker-container.ts';
import { labelsOf as textsByName } from './grpc-values.ts';
import type { RuntimeContainer, RuntimeEvents } from './runtime-client.ts';

/** Only words every version knows: others are refused. */
const ACTIONS = ['create', 'start', 'died', 'remove', 'rename'];

/** Attributes of container events beside the container's labels. */
const OWN_ATTRIBUTES = ['name', 'image', 'containerExitCode', 'exitCode', 'podId', 'networks'];

/** Path below the API's version. No `since`: with it Podman reads its whole journal first. */
export function podmanEventsPath(): string {
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ACTIONS }));
  return `/events?stream=true&filters=${filters}`;
}

export function onPodmanEvent(event: JsonObject, events: RuntimeEvents): void {
  const actor = objectOf(event['Actor']);
  const fullId = textOf(actor?.['ID']);
  if (event['Type'] !== 'container' || !isFullId(fullId)) return;
  switch (event['Action']) {
    case 'create':
      events.onCreated(fullId, toldByEvent(fullId, objectOf(actor?.['Attributes']) ?? {}));
      return;
    case 'start':
    case 'rename':
      events.onStarted(fullId);
      return;
    case 'died':
    case 'die':
    case 'remove':
    case 'destroy':
      events.onEnded(fullId);
  }
}

/** Name, image and labels. */
function toldByEvent(fullId: string, attributes: JsonObject): RuntimeContainer {
  const labels = new Map(textsByName(attributes));
  for (const key of OWN_ATTRIBUTES) labels.delete(key);
  const row = {
    ...bareContainer(fullId, 'podman'),
    ...imageMembers(textOf(attributes['image']), '', undefined),
    name: textOf(attributes['name']),
    labels,
  };
  return { row, pid: 0, isRunning: false };
}
