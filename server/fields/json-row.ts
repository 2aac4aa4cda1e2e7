/** One JSON object per event. */
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { BoundField } from './field-reference.ts';
import { jsonText, jsonWriter } from './render-json.ts';

/** Appends the object of an event, without a line end. */
export type JsonRowWriter = (event: InspectedEvent, writer: ByteWriter) => void;

const OPEN = 123;
const CLOSE = 125;

/** Keys are the field names as they were asked for; absent values are `null`. */
export function compileJsonRow(fields: readonly BoundField[]): JsonRowWriter {
  const columns = fields.map((field, i) => ({
    key: `${i === 0 ? '' : ','}${jsonText(field.name)}:`,
    extract: field.json,
    write: jsonWriter(field.row),
  }));
  return (event, writer) => {
    writer.byte(OPEN);
    for (const column of columns) {
      writer.latin1(column.key);
      column.write(writer, column.extract(event));
    }
    writer.byte(CLOSE);
  };
}
