/** From the event to the container its thread runs in. */
import type { ContainerRow } from '../state/container-table.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { StateView } from '../state/os-state.ts';
import type { Extractor, FieldValue } from './field.ts';

/** Characters of an id as it is shown. */
export const SHORT_ID_CHARACTERS = 12;
/** What stands for the container outside of all containers. */
export const HOST_ID = 'host';

/** Of the container; absent outside of containers and for what is not known yet ('' in the row). */
export function ofContainer(
  value: (container: ContainerRow, event: InspectedEvent) => FieldValue,
): Extractor {
  return (event) => {
    const id = event.thread?.containerId ?? '';
    if (id === '') return undefined;
    const container = findContainer(event.state, id);
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
    const { thread } = event;
    if (thread === undefined) return undefined;
    if (thread.containerId === '') return HOST_ID;
    const container = findContainer(event.state, thread.containerId);
    return container === undefined ? undefined : present(value(container));
  };
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
