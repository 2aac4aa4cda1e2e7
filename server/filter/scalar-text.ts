/** Values as text, for transformers that join them: what an output line shows. */
import { ByteWriter } from '../fields/byte-writer.ts';
import type { FieldValue, Scalar } from '../fields/field.ts';
import { scalarTextWriter } from '../fields/render.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { Operand } from './operand.ts';

/** Reads a single-valued operand as a binary string; the first of several values. */
export function textReader(operand: Operand): (event: InspectedEvent) => string | undefined {
  const { read } = operand;
  if (operand.type === 'string') return (event) => read(event) as string | undefined;
  const write = scalarTextWriter(operand.type, operand.format);
  const writer = new ByteWriter(64);
  return (event) => {
    const value: FieldValue = read(event);
    if (value === undefined) return undefined;
    writer.reset();
    write(writer, value as Scalar);
    return writer.bytes.latin1Slice(0, writer.length);
  };
}
