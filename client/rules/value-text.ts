/** Values of a typed stream as output lines and JSON show them, by the catalogue's own renderers. */
import type { ByteWriter } from '../../server/fields/byte-writer.ts';
import type { FieldRow, FieldValue, Scalar } from '../../server/fields/field.ts';
import { parseFieldReference } from '../../server/fields/field-reference.ts';
import { ABSENT_TEXT, textWriter } from '../../server/fields/render.ts';
import { jsonWriter } from '../../server/fields/render-json.ts';
import type { EventValue, ScalarValue } from '../column-reader.ts';
import type { StreamedEvent } from '../event-batch.ts';

/** Unprintable characters of a payload show as dots. */
const UNPRINTABLE = /[^\x20-\x7e]/g;

/** Reads and writes one field of the events of a stream. */
export class ValueWriter {
  readonly name: string;
  private readonly read: (event: StreamedEvent) => FieldValue;
  private readonly writeValue: ReturnType<typeof textWriter>;
  private readonly writeJson: ReturnType<typeof jsonWriter>;

  /** `name` is a field reference that is known to be right. */
  constructor(name: string) {
    this.name = name;
    const { row } = parseFieldReference(name);
    this.read = reader(name, row);
    this.writeValue = textWriter(row);
    this.writeJson = jsonWriter(row);
  }

  /** Appends the value as text, `<NA>` when it is absent. */
  text(event: StreamedEvent, out: ByteWriter): void {
    const value = this.read(event);
    if (value === undefined) out.latin1(ABSENT_TEXT);
    else this.writeValue(out, value);
  }

  /** Appends the value as JSON, `null` when it is absent. */
  json(event: StreamedEvent, out: ByteWriter): void {
    this.writeJson(out, this.read(event));
  }
}

/** From what the client library hands out to what the catalogue's renderers take. */
function reader(name: string, row: FieldRow): (event: StreamedEvent) => FieldValue {
  // Networks exist to be compared: they have no text.
  if (row.type === 'ipnet') return () => undefined;
  if (row.type === 'dynamic') return (event) => dynamic(event.getBytes(name));
  if (row.bindText !== undefined) {
    return (event) => {
      const value = scalars(event.getBytes(name));
      return typeof value === 'string' ? value.replace(UNPRINTABLE, '.') : value;
    };
  }
  return (event) => scalars(event.getBytes(name));
}

function scalars(value: EventValue): Scalar | readonly Scalar[] | undefined {
  if (value === undefined) return undefined;
  return Array.isArray(value) ? value.map(scalar) : scalar(value as ScalarValue);
}

function scalar(value: ScalarValue): Scalar {
  return Buffer.isBuffer(value) ? value.toString('latin1') : value;
}

function dynamic(value: EventValue): FieldValue {
  const plain = scalars(value);
  if (plain === undefined || Array.isArray(plain)) return undefined;
  const type = typeof plain === 'string' ? 'string' : typeof plain === 'boolean' ? 'bool' : 'int64';
  return { type, format: 'DEC', value: plain as Scalar };
}
