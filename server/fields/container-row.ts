/** From the event to the container its thread runs in. */
import { PPME_ASYNCEVENT_E, PPME_CONTAINER_JSON_2_E } from '../event/event-types.ts';
import type { ContainerRow } from '../state/container-table.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { StateView } from '../state/os-state.ts';
import type { Extractor, FieldValue } from './field.ts';

/** Characters of an id as it is shown. */
export const SHORT_ID_CHARACTERS = 12;
const FULL_ID_CHARACTERS = 64;
/** What stands for the container outside of all containers. */
export const HOST_ID = 'host';

/** Async events that are about a container themselves: the container of the event is the one it names. */
const CONTAINER_EVENTS: ReadonlySet<string> = new Set(['container', 'container_removed']);

/**
 * Key of the container an event is about: that of its thread ('': on the host), or the one that a container event names. Undefined
 * for events of neither.
 */
export function containerKeyOf(event: InspectedEvent): string | undefined {
  const { record, thread, state } = event;
  if (record.type === PPME_CONTAINER_JSON_2_E) return namedKey(state, record.text(0));
  if (record.type === PPME_ASYNCEVENT_E && CONTAINER_EVENTS.has(record.text(1))) {
    return namedKey(state, record.text(2));
  }
  return thread?.containerId;
}

function namedKey(state: StateView, text: string): string | undefined {
  const { id, fullId } = namedIds(text);
  if (fullId !== '') return fullId;
  return id === '' ? undefined : (state.findContainerKey(id.slice(0, SHORT_ID_CHARACTERS)) ?? id);
}

/** Of the JSON of a container event. It comes from outside: any member may be missing or of another type. */
function namedIds(text: string): { readonly id: string; readonly fullId: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { id: '', fullId: '' };
  }
  const container = memberOf(json, 'container') ?? json;
  return { id: textOf(memberOf(container, 'id')), fullId: textOf(memberOf(container, 'full_id')) };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Of the container; absent outside of containers and for what is not known yet ('' in the row). */
export function ofContainer(
  value: (container: ContainerRow, event: InspectedEvent) => FieldValue,
): Extractor {
  return (event) => {
    const key = containerKeyOf(event) ?? '';
    if (key === '') return undefined;
    const container = findContainer(event.state, key);
    return container === undefined ? undefined : value(container, event);
  };
}

/** Text of the container. */
export function ofContainerText(value: (container: ContainerRow) => string): Extractor {
  return ofContainer((container) => present(value(container)));
}

/** Text of the container, or HOST_ID outside of containers. */
export function ofContainerOrHost(value: (container: ContainerRow) => string): Extractor {
  return (event) => {
    const key = containerKeyOf(event);
    if (key === undefined) return undefined;
    if (key === '') return HOST_ID;
    const container = findContainer(event.state, key);
    return container === undefined ? undefined : present(value(container));
  };
}

/** Id as it is shown, or HOST_ID. Whoever has a whole id needs no row for that. */
export function shownContainerId(state: StateView, key: string): string {
  if (key === '') return HOST_ID;
  const short = key.slice(0, SHORT_ID_CHARACTERS);
  return key.length === FULL_ID_CHARACTERS ? short : (findContainer(state, key)?.id ?? short);
}

/** Only a container whose runtime was asked has more than an id. */
export function ofKnownContainer(value: (container: ContainerRow) => FieldValue): Extractor {
  return ofContainer((container) => (container.isComplete ? value(container) : undefined));
}

/** '' is "not known" in a container row. */
export function present(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/** By full id, or by the short one that some sources only know. */
export function findContainer(state: StateView, id: string): ContainerRow | undefined {
  return (
    state.findContainer(id) ??
    (id.length > SHORT_ID_CHARACTERS ? state.findContainer(id.slice(0, SHORT_ID_CHARACTERS)) : undefined)
  );
}

/** `key:value` items separated by commas, without annotations and the labels Kubernetes sets for itself. */
export function labelsText(labels: ReadonlyMap<string, string>): string {
  let text = '';
  for (const key of [...labels.keys()].sort()) {
    if (key.startsWith('annotation.') || key.startsWith('io.kubernetes.')) continue;
    const value = labels.get(key) ?? '';
    text += `${text === '' ? '' : ', '}${key}${value === '' ? '' : `:${value}`}`;
  }
  return text;
}
