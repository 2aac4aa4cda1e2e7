/** Exceptions as a part of the condition: `(condition) and not (proc.name in (a, b))`. */
import { OPERATORS } from '../../server/filter/operators.ts';
import type { ExceptionDefinition, ExceptionEntry, RuleDefinition } from './definitions.ts';
import { RuleError } from './diagnostics.ts';
import { codeOfEntry } from './exception-check.ts';
import { quoteItem } from './list-expansion.ts';
import { MappedText } from './mapped-text.ts';

const LIST_OPERATORS: ReadonlySet<string> = new Set(
  OPERATORS.filter((row) => row.form === 'list').map((row) => row.name),
);

/** The rule's condition with its exceptions. Throws RuleError for values that do not fit their fields. */
export function conditionWithExceptions({ condition, exceptions }: RuleDefinition): MappedText {
  if (exceptions.length === 0) return condition;
  const parts = [literal('(', condition), condition, literal(')', condition)];
  for (const exception of exceptions) {
    if (exception.values.length === 0) continue;
    const { fields, comps } = exception;
    if (fields === undefined || comps === undefined) continue;
    parts.push(literal(' and not ', fields));
    parts.push(fields.isList ? tupleCondition(exception) : singleCondition(exception));
  }
  return MappedText.concat(parts);
}

/** One field: `(field in (value, value))`. */
function singleCondition({ name, fields, comps, values }: ExceptionDefinition): MappedText {
  const field = mustItem(fields);
  const items = values.map((value) => {
    if (!value.isList) return quoteItem(value.item);
    const message = `exception '${name}': 'values' must be a list of texts, as there is one field`;
    throw new RuleError(message, codeOfEntry(value));
  });
  return MappedText.concat([
    literal('(', field),
    field,
    literal(' ', field),
    mustItem(comps),
    literal(' (', field),
    ...separated(items),
    literal('))', field),
  ]);
}

/** Several fields: `((a = x and b in (y, z)) or (...))`. */
function tupleCondition({ name, fields, comps, values }: ExceptionDefinition): MappedText {
  const fieldItems = mustList(fields);
  const compItems = mustList(comps);
  const parts: MappedText[] = [];
  values.forEach((value, i) => {
    if (!value.isList || value.items.length !== fieldItems.length) {
      const message = `exception '${name}': each of 'values' must have a value for each of its ${fieldItems.length} fields`;
      throw new RuleError(message, codeOfEntry(value));
    }
    parts.push(literal(i === 0 ? '(' : ' or (', value));
    value.items.forEach((entry, k) => {
      const field = mustItem(fieldItems[k]);
      const comp = mustItem(compItems[k]);
      parts.push(
        literal(k === 0 ? '' : ' and ', entry),
        field,
        literal(' ', field),
        comp,
        literal(' ', comp),
      );
      parts.push(tupleValue(entry, comp.text, name));
    });
    parts.push(literal(')', value));
  });
  const [first] = parts as [MappedText];
  return MappedText.concat([literal('(', first), ...parts, literal(')', first)]);
}

function tupleValue(entry: ExceptionEntry, operator: string, name: string): MappedText {
  if (entry.isList) {
    const items = entry.items.map((inner) => {
      if (!inner.isList) return quoteItem(inner.item);
      throw new RuleError(`exception '${name}': lists nest too deep`, codeOfEntry(inner));
    });
    return MappedText.concat([literal('(', entry), ...separated(items), literal(')', entry)]);
  }
  if (!LIST_OPERATORS.has(operator)) return quoteItem(entry.item);
  if (entry.item.text.startsWith('(')) return entry.item;
  return MappedText.concat([literal('(', entry), entry.item, literal(')', entry)]);
}

function separated(items: readonly MappedText[]): MappedText[] {
  return items.flatMap((item, i) => (i === 0 ? [item] : [literal(', ', item), item]));
}

/** Text that stands in no file, placed where `near` is. */
function literal(text: string, near: MappedText | ExceptionEntry): MappedText {
  return MappedText.at(text, near instanceof MappedText ? near.codeAt(0) : codeOfEntry(near));
}

function mustItem(entry: ExceptionEntry | undefined): MappedText {
  if (entry === undefined || entry.isList) throw new TypeError('the exception was not completed');
  return entry.item;
}

function mustList(entry: ExceptionEntry | undefined): readonly ExceptionEntry[] {
  if (entry === undefined || !entry.isList) throw new TypeError('the exception was not completed');
  return entry.items;
}
