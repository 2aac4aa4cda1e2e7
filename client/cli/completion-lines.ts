/**
 * What became known of events later, as lines of JSON, one per event:
 * `{"completion":{"sequence":12,"container_id":"...","outcome":"complete","values":{"container.name":"web"}}}`.
 * `sequence` counts the events of the stream from 0, lost ones included; `values` holds the fields that have changed.
 */
import type { Completion } from '../../proto/gen/strata/v1/event_service.ts';
import type { FieldSchema } from '../../proto/gen/strata/v1/value.ts';
import type { EventValue } from '../column-reader.ts';
import { EventCompletion } from '../event-completion.ts';

export function completionLines(message: Completion, fields: readonly FieldSchema[]): Buffer {
  const completion = new EventCompletion(message, { fields, positions: new Map(), filters: new Map() });
  const rest = `"container_id":${JSON.stringify(completion.containerId)},"outcome":"${completion.outcome}"`;
  let lines = '';
  for (const { sequence, values } of completion) {
    const members = Object.entries(values).map(
      ([name, value]) => `${JSON.stringify(name)}:${valueJson(value)}`,
    );
    lines += `{"completion":{"sequence":${sequence},${rest},"values":{${members.join(',')}}}}\n`;
  }
  return Buffer.from(lines);
}

/** 64-bit integers are exact digits; bytes are text; absent is null. */
function valueJson(value: EventValue): string {
  if (value === undefined) return 'null';
  if (typeof value === 'bigint') return value.toString();
  if (Buffer.isBuffer(value)) return JSON.stringify(value.toString('utf8'));
  if (Array.isArray(value)) return `[${value.map((item) => valueJson(item)).join(',')}]`;
  return JSON.stringify(value);
}
