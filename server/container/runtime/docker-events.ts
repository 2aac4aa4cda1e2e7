/** Docker's event stream: what is asked for, and what its events mean. */
import { type JsonObject, objectOf, textOf } from '../container-json.ts';
import { bareContainer } from '../container-rows.ts';
import { imageMembers, isFullId, podMembers } from './docker-container.ts';
import { labelsOf as textsByName } from './grpc-values.ts';
import type { RuntimeContainer, RuntimeEvents } from './runtime-client.ts';

/** The server leaves out the rest: every run of a health check is three events. */
const TYPES = ['container', 'network', 'image'];
const ACTIONS = [
  'create',
  'start',
  'die',
  'destroy',
  'rename',
  'update',
  'connect',
  'disconnect',
  'tag',
  'untag',
  'pull',
  'load',
  'import',
  'delete',
];

/** Attributes of container events beside the container's labels. */
const OWN_ATTRIBUTES = ['name', 'image', 'exitCode', 'oldName'];

/** Containers remembered as not started yet. */
const STARTING_MAX = 4096;

/** Events before the one the stream begins with are told again from this time on: the answer begins before the daemon listens. */
export function dockerEventsPath(sinceMs: number): string {
  const filters = encodeURIComponent(JSON.stringify({ type: TYPES, event: ACTIONS }));
  return `/events?since=${(sinceMs / 1000).toFixed(3)}&filters=${filters}`;
}

export class DockerEvents {
  private readonly events: RuntimeEvents;
  private readonly onImagesChanged: () => void;
  /** Connecting networks is a part of starting: `start` follows. */
  private readonly starting: Set<string>;

  constructor(events: RuntimeEvents, onImagesChanged: () => void) {
    this.events = events;
    this.onImagesChanged = onImagesChanged;
    this.starting = new Set();
  }

  on(event: JsonObject): void {
    const actor = objectOf(event['Actor']);
    const attributes = objectOf(actor?.['Attributes']) ?? {};
    const action = textOf(event['Action']);
    const type = event['Type'];
    if (type === 'image') this.onImagesChanged();
    else if (type === 'network') this.onNetwork(action, textOf(attributes['container']));
    else if (type === 'container') this.onContainer(action, textOf(actor?.['ID']), attributes);
  }

  private onContainer(action: string, fullId: string, attributes: JsonObject): void {
    if (!isFullId(fullId)) return;
    switch (action) {
      case 'create':
        this.remember(fullId);
        this.events.onCreated(fullId, toldByEvent(fullId, attributes));
        return;
      case 'die':
        this.remember(fullId);
        this.events.onEnded(fullId);
        return;
      case 'destroy':
        this.starting.delete(fullId);
        this.events.onEnded(fullId);
        return;
      case 'start':
      case 'rename':
      case 'update':
        if (action === 'start') this.starting.delete(fullId);
        this.events.onStarted(fullId);
    }
  }

  private onNetwork(action: string, fullId: string): void {
    if (action !== 'connect' && action !== 'disconnect') return;
    if (isFullId(fullId) && !this.starting.has(fullId)) this.events.onStarted(fullId);
  }

  private remember(fullId: string): void {
    const [oldest] = this.starting;
    if (this.starting.size >= STARTING_MAX && oldest !== undefined) this.starting.delete(oldest);
    this.starting.add(fullId);
  }
}

/** Name, image and labels. */
function toldByEvent(fullId: string, attributes: JsonObject): RuntimeContainer {
  const labels = new Map(textsByName(attributes));
  for (const key of OWN_ATTRIBUTES) labels.delete(key);
  const row = {
    ...bareContainer(fullId, 'docker'),
    ...imageMembers(textOf(attributes['image']), '', undefined),
    ...podMembers(fullId, textOf(attributes['name']), labels),
  };
  return { row, pid: 0, isRunning: false };
}
