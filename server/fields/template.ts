/**
 * Output lines: `%proc.name did %evt.type on %20fd.name`.
 *
 * A number between `%` and the name is a width: the value is cut or filled with spaces to it. `%%` is a percent sign.
 * A line appears only when all of its fields have a value; with `*` at the start of the template every event has its
 * line, and what is absent prints as `<NA>`.
 */
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { ByteWriter } from './byte-writer.ts';
import { FieldError, type FieldValue } from './field.ts';
import { type BoundField, bindField, scanFieldReference } from './field-reference.ts';
import { ABSENT_TEXT, type TextWriter, textWriter } from './render.ts';

export interface Template {
  readonly fields: readonly BoundField[];
  /** Appends the event's line without a line end; false, and nothing appended, when it has none. */
  write(event: InspectedEvent, writer: ByteWriter): boolean;
}

/** Templates by the name they are asked for. */
export const TEMPLATE_PRESETS = {
  default: '*%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info',
  container:
    '*%evt.num %evt.outputtime %evt.cpu %container.name (%container.id) %proc.name (%thread.tid:%thread.vtid) %evt.dir %evt.type %evt.info',
  kubernetes:
    '*%evt.num %evt.outputtime %evt.cpu %k8s.pod.name (%container.id) %proc.name (%thread.tid:%thread.vtid) %evt.dir %evt.type %evt.info',
} as const;

const WIDTH_MAX = 65_536;
const SPACE = 32;

interface FieldPart {
  readonly field: BoundField;
  readonly write: TextWriter;
  /** 0: as wide as the value. */
  readonly width: number;
}

type Part = string | FieldPart;

/** Throws FieldError with the position in the template. The text is a binary string. */
export function compileTemplate(text: string): Template {
  const isTotal = text.startsWith('*');
  const parts = parseParts(text, isTotal ? 1 : 0);
  const fields = parts.flatMap((part) => (typeof part === 'string' ? [] : [part.field]));
  return {
    fields,
    write(event, writer) {
      const start = writer.length;
      for (const part of parts) {
        if (typeof part === 'string') {
          writer.latin1(part);
          continue;
        }
        if (part.field.write !== undefined && part.width === 0) {
          if (part.field.write(event, writer)) continue;
          if (isTotal) {
            writer.latin1(ABSENT_TEXT);
            continue;
          }
          writer.length = start;
          return false;
        }
        const value = part.field.text(event);
        if (value === undefined && !isTotal) {
          writer.length = start;
          return false;
        }
        writePart(writer, part, value);
      }
      return true;
    },
  };
}

function writePart(writer: ByteWriter, part: FieldPart, value: FieldValue): void {
  const from = writer.length;
  if (value === undefined) writer.latin1(ABSENT_TEXT);
  else part.write(writer, value);
  if (part.width === 0) return;
  const end = from + part.width;
  if (writer.length < end) {
    writer.ensure(part.width);
    writer.bytes.fill(SPACE, writer.length, end);
  }
  writer.length = end;
}

function parseParts(text: string, start: number): Part[] {
  if (start === text.length) throw new FieldError('empty template', start);
  const parts: Part[] = [];
  let literal = '';
  let at = start;
  while (at < text.length) {
    const percent = text.indexOf('%', at);
    literal += text.slice(at, percent < 0 ? text.length : percent);
    if (percent < 0) break;
    if (text[percent + 1] === '%') {
      literal += '%';
      at = percent + 2;
      continue;
    }
    if (literal !== '') parts.push(literal);
    literal = '';
    const { part, end } = parseField(text, percent);
    parts.push(part);
    at = end;
  }
  if (literal !== '') parts.push(literal);
  return parts;
}

function parseField(text: string, percent: number): { part: FieldPart; end: number } {
  let nameStart = percent + 1;
  while (isDigit(text.charCodeAt(nameStart))) nameStart++;
  const width = nameStart === percent + 1 ? 0 : Number(text.slice(percent + 1, nameStart));
  if (width > WIDTH_MAX) throw new FieldError(`width is beyond ${WIDTH_MAX}`, percent + 1);
  if (nameStart === text.length) throw new FieldError("expected a field name after '%'", nameStart);
  const { field, end } = bindAt(text, nameStart);
  return { part: { field, write: textWriter(field.row), width }, end };
}

function bindAt(text: string, start: number): { field: BoundField; end: number } {
  const scanned = scanFieldReference(text, start);
  if (text[scanned] === '(' && scanned > start) {
    throw new FieldError('transformers are not available in templates', start);
  }
  const end = withoutTrailingDots(text, start, scanned);
  try {
    return { field: bindField(text.slice(start, end)), end };
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw new FieldError(error.message, start + error.position, error.suggestions, error.isUnknown);
  }
}

/** A full stop after a field belongs to the sentence, not to the name. */
function withoutTrailingDots(text: string, start: number, scanned: number): number {
  let end = scanned;
  while (end > start && text[end - 1] === '.') end--;
  return end;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
