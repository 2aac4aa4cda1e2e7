/** The output of a rule: text with fields, taken apart so that the client can render it from typed columns. */

import { scanFieldReference } from '../../server/fields/field-reference.ts';
import { compileTemplate } from '../../server/fields/template.ts';
import { toBinaryText } from '../../server/filter/binary-text.ts';

export interface OutputField {
  /** As the stream is asked for it. */
  readonly name: string;
  /** The value is cut or filled to it; 0: as wide as it is. */
  readonly width: number;
}

/** Texts are binary strings. */
export type OutputPart = string | OutputField;

/** Parses the output of a rule, a leading `*` allowed. Throws FieldError with the position in the binary text. */
export function parseOutput(text: string): readonly OutputPart[] {
  const binary = toBinaryText(text);
  const start = binary.startsWith('*') ? 1 : 0;
  // The server's own parser decides what is a template; below, its result is taken apart.
  const { fields } = compileTemplate(start === 1 ? binary : `*${binary}`);
  const parts: OutputPart[] = [];
  let at = start;
  let fieldIndex = 0;
  while (at < binary.length) {
    const percent = binary.indexOf('%', at);
    if (percent !== at) parts.push(binary.slice(at, percent < 0 ? undefined : percent));
    if (percent < 0) break;
    if (binary[percent + 1] === '%') {
      parts.push('%');
      at = percent + 2;
      continue;
    }
    const digits = /[0-9]*/y;
    digits.lastIndex = percent + 1;
    const width = digits.exec(binary)?.[0] ?? '';
    const nameStart = percent + 1 + width.length;
    const name = (fields[fieldIndex++] as { readonly name: string }).name;
    parts.push({ name, width: Number(width) });
    at = Math.min(nameStart + name.length, scanFieldReference(binary, nameStart));
  }
  return parts;
}

/** Names of the fields, each once, in the order of the text. */
export function outputFields(parts: readonly OutputPart[]): string[] {
  return [...new Set(parts.flatMap((part) => (typeof part === 'string' ? [] : [part.name])))];
}
