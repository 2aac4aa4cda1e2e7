/** `evt.infra.docker.*`: what an infrastructure event's description says, as `Event: start; ID: 12ab...; ...`. */
import { PPME_INFRASTRUCTURE_EVENT_E } from '../event/event-types.ts';
import type { Extractor, FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';

const DESCRIPTION_INDEX = 2;
/** Container ids are shown in their short form. */
const SHORT_ID_LENGTH = 12;

/** The text between the first and the second colon of the first item that starts with `label`. */
function itemOf(label: string, toValue: (item: string) => string): Extractor {
  return ({ record }) => {
    if (record.type !== PPME_INFRASTRUCTURE_EVENT_E) return undefined;
    for (const part of record.text(DESCRIPTION_INDEX).split(';')) {
      const item = part.trim();
      if (item.startsWith(label)) return toValue(item);
    }
    return undefined;
  };
}

function itemValue(item: string): string {
  return (item.split(':')[1] ?? '').trim();
}

/** An image by name loses its digest; an image known by its digest alone keeps it whole. */
function imageOf(item: string): string {
  const value = item.split(':')[1] ?? '';
  const at = value.indexOf('@');
  if (at >= 0) return value.slice(0, at).trim();
  return value.includes('sha256') ? item.slice(item.indexOf(':') + 1).trim() : value.trim();
}

function docker(name: string, description: string, extract: Extractor): FieldRow {
  return rowsOf('evt')(`evt.infra.docker.${name}`, 'string', 'NA', description, extract, { tableOnly: true });
}

export const EVT_INFRA_FIELDS: readonly FieldRow[] = [
  docker('name', 'docker infrastructure event: event name', itemOf('Event', itemValue)),
  docker(
    'container.id',
    'docker infrastructure event: container id',
    itemOf('ID', (item) => itemValue(item).slice(0, SHORT_ID_LENGTH)),
  ),
  docker('container.name', 'docker infrastructure event: container name', itemOf('name', itemValue)),
  docker('container.image', 'docker infrastructure event: image', itemOf('Image', imageOf)),
];
