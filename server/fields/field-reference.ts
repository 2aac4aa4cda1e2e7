/**
 * A field as it is written: `name`, `name[argument]`, `name["quoted argument"]` or `name.argument`.
 * In the dotted form the longest row name that takes an argument wins: `evt.arg.flags`, `proc.env.PATH`.
 */
import { findField, suggestFields } from './catalogue.ts';
import { type Extractor, type FieldArgument, FieldError, type FieldRow, type FieldWriter } from './field.ts';

export interface FieldReference {
  readonly row: FieldRow;
  readonly argument: FieldArgument | undefined;
}

/** A reference compiled: ready to be read from events. */
export interface BoundField {
  /** As it was asked for, argument included. */
  readonly name: string;
  readonly row: FieldRow;
  readonly extract: Extractor;
  /** What JSON and output lines show; `extract` itself for nearly all fields. */
  readonly json: Extractor;
  readonly text: Extractor;
  /** Appends the text without a string on the way, where the row knows how. */
  readonly write: FieldWriter | undefined;
}

/** References longer than this are refused. */
const REFERENCE_CHARACTERS_MAX = 4096;
/** Largest index: what fits a signed 32-bit integer. */
const INDEX_MAX = 0x7fffffff;

/** Throws FieldError with the position of the fault. */
export function parseFieldReference(text: string): FieldReference {
  if (text.length > REFERENCE_CHARACTERS_MAX) throw new FieldError('field reference is too long', 0);
  const nameEnd = scanName(text, 0);
  if (nameEnd === 0) throw new FieldError('expected a field name', 0);
  const name = text.slice(0, nameEnd);
  if (nameEnd === text.length) return plainOrDotted(name);
  if (text[nameEnd] !== '[') throw new FieldError(`unexpected character ${quote(text, nameEnd)}`, nameEnd);
  const { argument, end } = scanArgument(text, nameEnd);
  if (end !== text.length) throw new FieldError(`unexpected character ${quote(text, end)}`, end);
  const row = mustFindField(name);
  checkArgument(row, argument, nameEnd);
  return { row, argument };
}

/** Parses and compiles. Throws FieldError. */
export function bindField(text: string): BoundField {
  const { row, argument } = parseFieldReference(text);
  const extract = row.bind(argument);
  return {
    name: text,
    row,
    extract,
    json: row.bindJson?.(argument) ?? extract,
    text: row.bindText?.(argument) ?? extract,
    write: row.bindWrite?.(argument),
  };
}

/** Where the field reference that starts at `start` ends: after its name and the bracket that may follow. */
export function scanFieldReference(text: string, start: number): number {
  const nameEnd = scanName(text, start);
  return nameEnd > start && text[nameEnd] === '[' ? scanArgument(text, nameEnd).end : nameEnd;
}

function scanName(text: string, start: number): number {
  let end = start;
  while (end < text.length && isNameCharacter(text.charCodeAt(end))) end++;
  return end;
}

function isNameCharacter(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === 46 ||
    code === 95
  );
}

function plainOrDotted(name: string): FieldReference {
  const row = findField(name);
  if (row !== undefined) {
    checkArgument(row, undefined, name.length);
    return { row, argument: undefined };
  }
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const candidate = findField(name.slice(0, dot));
    if (candidate === undefined || candidate.argument === 'none' || dot === name.length - 1) continue;
    const argument = toArgument(name.slice(dot + 1));
    checkArgument(candidate, argument, dot + 1);
    return { row: candidate, argument };
  }
  throw unknownField(name);
}

function mustFindField(name: string): FieldRow {
  const row = findField(name);
  if (row === undefined) throw unknownField(name);
  return row;
}

function unknownField(name: string): FieldError {
  return new FieldError(`unknown field '${name}'`, 0, suggestFields(name), true);
}

/** `open` is the position of the opening bracket. */
function scanArgument(text: string, open: number): { argument: FieldArgument; end: number } {
  const first = text[open + 1];
  if (first === '"' || first === "'") return scanQuoted(text, open, first);
  const close = text.indexOf(']', open);
  if (close < 0) throw new FieldError("missing ']'", text.length);
  const argument = text.slice(open + 1, close);
  if (argument === '') throw new FieldError('empty argument', open + 1);
  const fault = /[\s[\]"']/.exec(argument);
  if (fault !== null) {
    const at = open + 1 + fault.index;
    throw new FieldError(`unexpected character ${quote(text, at)} in the argument; quote it`, at);
  }
  return { argument: toArgument(argument), end: close + 1 };
}

function scanQuoted(text: string, open: number, mark: string): { argument: FieldArgument; end: number } {
  let value = '';
  let at = open + 2;
  while (at < text.length && text[at] !== mark) {
    // A backslash quotes the mark and itself; before anything else it stands for itself.
    if (text[at] === '\\' && (text[at + 1] === mark || text[at + 1] === '\\')) at++;
    value += text[at++];
  }
  if (at >= text.length) throw new FieldError('missing closing quote', text.length);
  if (text[at + 1] !== ']') throw new FieldError("missing ']'", at + 1);
  return { argument: toArgument(value), end: at + 2 };
}

function toArgument(text: string): FieldArgument {
  const isIndex = /^[0-9]+$/.test(text) && Number(text) <= INDEX_MAX;
  return { text, index: isIndex ? Number(text) : undefined };
}

function checkArgument(row: FieldRow, argument: FieldArgument | undefined, position: number): void {
  const { name, argument: form } = row;
  if (argument === undefined) {
    if (form.endsWith('required'))
      throw new FieldError(`field '${name}' needs an argument: ${name}[...]`, position);
    return;
  }
  if (form === 'none') throw new FieldError(`field '${name}' takes no argument`, position);
  if (form.startsWith('index ') && argument.index === undefined) {
    throw new FieldError(`the argument of field '${name}' must be a number`, position + 1);
  }
}

function quote(text: string, at: number): string {
  return `'${text[at] ?? ''}'`;
}
