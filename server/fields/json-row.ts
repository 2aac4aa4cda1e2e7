/** One JSON object per event. */
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { FieldWriter } from './field.ts';
import type { BoundField } from './field-reference.ts';
import { jsonText, jsonWriter } from './render-json.ts';
import { quoteWritten } from './render-json-text.ts';

/** Appends the object of an event, without a line end. */
export type JsonRowWriter = (event: InspectedEvent, writer: ByteWriter) => void;

const OPEN = 123;
const CLOSE = 125;
const QUOTE = 34;

/** Keys are the field names as they were asked for; absent values are `null`. */
export function compileJsonRow(fields: readonly BoundField[]): JsonRowWriter {
  const columns = fields.map((field, i) => ({
    key: `${i === 0 ? '' : ','}${jsonText(field.name)}:`,
    extract: field.json,
    write: jsonWriter(field.row),
    direct: field.write,
    isText: field.row.type === 'string',
  }));
  return (event, writer) => {
    writer.byte(OPEN);
    for (const column of columns) {
      writer.latin1(column.key);
      if (column.direct === undefined) column.write(writer, column.extract(event));
      else writeDirect(writer, event, column.direct, column.isText);
    }
    writer.byte(CLOSE);
  };
}

/** Fields that write themselves: numbers as they are, text in quotes. */
function writeDirect(writer: ByteWriter, event: InspectedEvent, write: FieldWriter, isText: boolean): void {
  const start = writer.length;
  if (isText) writer.byte(QUOTE);
  if (!write(event, writer)) {
    writer.length = start;
    writer.latin1('null');
  } else if (isText) {
    quoteWritten(writer, start + 1);
  }
}
