/** Fills in what an exception leaves out, and checks that its parts fit each other. */
import { nearestNames } from '../../server/event/nearest-names.ts';
import { parseFieldReference } from '../../server/fields/field-reference.ts';
import { OPERATOR_NAMES } from '../../server/filter/operators.ts';
import type { ExceptionDefinition, ExceptionEntry } from './definitions.ts';
import { RuleError } from './diagnostics.ts';
import { MappedText } from './mapped-text.ts';

/** Operators of an exception whose field is a single one. */
const LIST_COMPS: ReadonlySet<string> = new Set(['in', 'pmatch', 'intersects']);

/**
 * The exception with its operators: `in` for a single field, `=` for each of several. `knowsFields` is false for rules of
 * sources whose fields nobody here knows. Throws RuleError.
 */
export function completeException(exception: ExceptionDefinition, knowsFields: boolean): ExceptionDefinition {
  const { name, fields, code } = exception;
  if (fields === undefined) throw new RuleError(`exception '${name}' has no 'fields'`, code);
  const comps = exception.comps ?? defaultComps(fields);
  if (fields.isList) checkLists(name, fields.items, comps);
  else checkSingle(name, comps);
  if (knowsFields) for (const field of fields.isList ? fields.items : [fields]) checkField(name, field);
  return { ...exception, comps };
}

function defaultComps(fields: ExceptionEntry): ExceptionEntry {
  const entry = (text: string, like: ExceptionEntry): ExceptionEntry => ({
    isList: false,
    item: MappedText.at(text, codeOfEntry(like)),
  });
  if (!fields.isList) return entry('in', fields);
  return { isList: true, items: fields.items.map((field) => entry('=', field)) };
}

function checkLists(name: string, fields: readonly ExceptionEntry[], comps: ExceptionEntry): void {
  if (!comps.isList || comps.items.length !== fields.length) {
    throw new RuleError(`exception '${name}': 'fields' and 'comps' must be equally long`, codeOfEntry(comps));
  }
  for (const comp of comps.items) {
    const text = comp.isList ? '' : comp.item.text;
    if (OPERATOR_NAMES.includes(text) || text === '==') continue;
    throw new RuleError(
      `exception '${name}': '${text}' is no operator`,
      codeOfEntry(comp),
      nearestNames(text, OPERATOR_NAMES, 1),
    );
  }
}

function checkSingle(name: string, comps: ExceptionEntry): void {
  if (comps.isList) {
    throw new RuleError(`exception '${name}': for one field 'comps' is one operator`, codeOfEntry(comps));
  }
  if (LIST_COMPS.has(comps.item.text)) return;
  throw new RuleError(
    `exception '${name}': for one field 'comps' is one of ${[...LIST_COMPS].join(', ')}`,
    codeOfEntry(comps),
  );
}

function checkField(name: string, field: ExceptionEntry): void {
  if (field.isList) throw new RuleError(`exception '${name}': a field must be text`, codeOfEntry(field));
  try {
    parseFieldReference(field.item.text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const suggestions = (error as { suggestions?: readonly string[] }).suggestions ?? [];
    throw new RuleError(`exception '${name}': ${error.message}`, codeOfEntry(field), suggestions);
  }
}

/** Where an entry stands. */
export function codeOfEntry(entry: ExceptionEntry): number {
  if (!entry.isList) return entry.item.codeAt(0);
  const [first] = entry.items;
  return first === undefined ? 0 : codeOfEntry(first);
}
