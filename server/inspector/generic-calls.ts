/**
 * System calls without an event type of their own share one, the generic one. A condition on their names would else have all
 * of them captured; and a condition on any other name, too, as capture files may hold every call in that form.
 */

import { EVENT_TABLE } from '../event/event-table.ts';
import { PPME_GENERIC_E, PPME_GENERIC_X } from '../event/event-types.ts';
import { SYSCALL_NAMES } from '../event/flag-tables.ts';
import type { CompareNode, FilterAst } from '../filter/ast.ts';
import { parseFilter } from '../filter/filter.ts';

const CAN_BE_TRUE = 1;
const CAN_BE_FALSE = 2;
const EITHER = CAN_BE_TRUE | CAN_BE_FALSE;
const NAME_FIELDS: ReadonlySet<string> = new Set(['evt.type', 'syscall.type']);

const OWN_NAMES: ReadonlySet<string> = new Set(
  EVENT_TABLE.filter(
    ({ id, source }) => source === 'SYSCALL' && id !== PPME_GENERIC_E && id !== PPME_GENERIC_X,
  ).map(({ name }) => name),
);

/** Codes and names of the calls that live sources tell by the generic event. */
export const GENERIC_CALLS: readonly (readonly [code: number, name: string])[] = SYSCALL_NAMES.flatMap(
  (name, code) => (name === undefined || OWN_NAMES.has(name) ? [] : [[code, name] as const]),
);

/** Those of them whose generic events can satisfy one of the conditions. */
export function genericCodes(conditions: readonly string[]): number[] {
  const tests = conditions.map((text) => (text.trim() === '' ? anything : outcomesOf(parseFilter(text))));
  return GENERIC_CALLS.filter(([, name]) => tests.some((test) => (test(name) & CAN_BE_TRUE) !== 0)).map(
    ([code]) => code,
  );
}

/** What a condition can come to when the name of the call is known and nothing else is. */
type NameTest = (name: string) => number;

const anything: NameTest = () => EITHER;

function outcomesOf(ast: FilterAst): NameTest {
  switch (ast.kind) {
    case 'and':
      return combined(ast.children.map(outcomesOf), CAN_BE_TRUE, CAN_BE_FALSE);
    case 'or':
      return combined(ast.children.map(outcomesOf), CAN_BE_FALSE, CAN_BE_TRUE);
    case 'not': {
      const test = outcomesOf(ast.child);
      return (name) => {
        const bits = test(name);
        return ((bits & CAN_BE_TRUE) << 1) | ((bits & CAN_BE_FALSE) >> 1);
      };
    }
    case 'compare':
      return comparison(ast);
    default:
      return anything;
  }
}

/** `all`: the outcome that all children must be able to have; `any`: the one that a single child brings about. */
function combined(children: readonly NameTest[], all: number, any: number): NameTest {
  return (name) => {
    let bits = all;
    for (const child of children) {
      const own = child(name);
      if ((own & all) === 0) bits &= ~all;
      bits |= own & any;
    }
    return bits;
  };
}

function comparison({ left, operator, modifier, right }: CompareNode): NameTest {
  if (left.kind !== 'field' || !NAME_FIELDS.has(left.name) || left.argument !== undefined) return anything;
  const values = valuesOf(right);
  if (values === undefined || modifier !== undefined) return anything;
  switch (operator) {
    case '=':
    case 'in':
      return (name) => (values.has(name) ? CAN_BE_TRUE : CAN_BE_FALSE);
    case '!=':
      return (name) => (values.has(name) ? CAN_BE_FALSE : CAN_BE_TRUE);
    default:
      return anything;
  }
}

function valuesOf(right: CompareNode['right']): ReadonlySet<string> | undefined {
  if (right.kind === 'value') return new Set([right.text]);
  return right.kind === 'list' ? new Set(right.values.map(({ text }) => text)) : undefined;
}
