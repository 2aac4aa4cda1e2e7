/** Finds values that compile but probably do not mean what was meant. */
import { EVENT_TABLE } from '../event/event-table.ts';
import { SYSCALL_NAMES } from '../event/flag-tables.ts';
import { nearestNames } from '../event/nearest-names.ts';
import { TRANSFORMERS, type ValueNode } from './ast.ts';
import { fromBinaryText } from './binary-text.ts';
import type { CompileContext } from './compile-context.ts';
import type { Operand } from './operand.ts';
import type { Operator } from './operators.ts';

const CALL = new RegExp(`^(?:${TRANSFORMERS.join('|')})\\(.*\\)$`);
/** Looking for close names takes time: a long list of wrong ones is not looked through. */
const WARNINGS_MAX = 20;
const NAME_OPERATORS: ReadonlySet<Operator> = new Set(['=', '!=', 'in']);

/** Every name `evt.type` can have, but those of asynchronous events. */
const EVENT_NAMES: ReadonlySet<string> = new Set([
  ...EVENT_TABLE.map((info) => info.name),
  ...SYSCALL_NAMES.filter((name) => name !== undefined),
]);

/** Adds the warnings about one literal to the context. */
export function checkLiteral(
  left: Operand,
  operator: Operator,
  value: ValueNode,
  context: CompileContext,
): void {
  if (context.warnings.length >= WARNINGS_MAX) return;
  const text = fromBinaryText(value.text);
  const warn = (message: string) => context.warnings.push({ message, position: value.position });
  if (CALL.test(text)) {
    warn(`'${text}' is compared as text: a transformer is written without quotes`);
  } else if (context.catalogue.findField(text) !== undefined) {
    warn(`'${text}' is compared as text: the value of a field is written val(${text})`);
  }
  const name = left.isPlainField ? left.row?.name : undefined;
  if (
    (name === 'evt.type' || name === 'syscall.type') &&
    NAME_OPERATORS.has(operator) &&
    !EVENT_NAMES.has(text)
  ) {
    const near = nearestNames(text, EVENT_NAMES);
    warn(`no event is called '${text}'${near.length === 0 ? '' : `; there is ${near.join(', ')}`}`);
  }
}
