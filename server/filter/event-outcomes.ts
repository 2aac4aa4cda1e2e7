/**
 * What a condition can come to for each event type, known before any event: the basis for skipping events that cannot
 * match. One byte per event type, a set of two bits; undefined stands for "either, for every type".
 *
 * The algebra is exact for independent checks and errs towards "can be true" otherwise: a type is left out only when no
 * event of it can match.
 */
import { EVENT_TABLE } from '../event/event-table.ts';
import { PPM_EVENT_MAX } from '../event/event-types.ts';
import type { FieldArgument, FieldRow, Scalar } from '../fields/field.ts';
import type { ValueNode } from './ast.ts';
import { normal } from './comparator.ts';
import { parseLiteral } from './literal.ts';
import { knowledgeOf } from './type-knowledge.ts';

export const CAN_BE_TRUE = 1;
export const CAN_BE_FALSE = 2;
const EITHER = CAN_BE_TRUE | CAN_BE_FALSE;
const UINT64_MAX = 2n ** 64n - 1n;

/** One byte per event type: a set of CAN_BE_TRUE and CAN_BE_FALSE. */
export type Outcomes = Uint8Array | undefined;

/** All of the conditions hold. */
export function outcomesOfAnd(children: readonly Outcomes[]): Outcomes {
  return combine(children, CAN_BE_TRUE, CAN_BE_FALSE);
}

/** At least one of the conditions holds. */
export function outcomesOfOr(children: readonly Outcomes[]): Outcomes {
  return combine(children, CAN_BE_FALSE, CAN_BE_TRUE);
}

export function outcomesOfNot(child: Outcomes): Outcomes {
  return child?.map((bits) => ((bits & CAN_BE_TRUE) << 1) | ((bits & CAN_BE_FALSE) >> 1));
}

/** `all`: the result all children must be able to have; `any`: the one that a single child brings about. */
function combine(children: readonly Outcomes[], all: number, any: number): Outcomes {
  if (children.every((child) => child === undefined)) return undefined;
  const result = new Uint8Array(PPM_EVENT_MAX);
  for (let type = 0; type < PPM_EVENT_MAX; type++) {
    let bits = all;
    for (const child of children) {
      const own = child === undefined ? EITHER : (child[type] as number);
      if ((own & all) === 0) bits &= ~all;
      bits |= own & any;
    }
    result[type] = bits;
  }
  return result;
}

/**
 * The outcomes of comparing a field with literals: `test` is called with the values the field can have. An absent value
 * compares false. undefined when nothing about the field depends on the event type alone.
 */
export function outcomesOfComparison(
  row: FieldRow,
  argument: FieldArgument | undefined,
  test: (value: Scalar) => boolean,
  literals: readonly ValueNode[],
): Outcomes {
  if (row.name === 'evt.num') return outcomesOfEventNumber(test, literals);
  const know = knowledgeOf(row, argument);
  if (know === undefined) return undefined;
  return Uint8Array.from(EVENT_TABLE, ({ id }) => {
    const known = know(id);
    if (known === 'unknown') return EITHER;
    if (known === 'absent') return CAN_BE_FALSE;
    if (!known.some(test)) return CAN_BE_FALSE;
    // Of several possible values the real one may also be missing.
    return known.length === 1 ? CAN_BE_TRUE : EITHER;
  });
}

/** The outcomes of `exists`. */
export function outcomesOfExists(row: FieldRow, argument: FieldArgument | undefined): Outcomes {
  const know = knowledgeOf(row, argument);
  if (know === undefined) return undefined;
  return Uint8Array.from(EVENT_TABLE, ({ id }) => {
    const known = know(id);
    if (known === 'absent') return CAN_BE_FALSE;
    return known !== 'unknown' && known.length === 1 ? CAN_BE_TRUE : EITHER;
  });
}

/** Rules say "never" and "always" with the event number, which starts at 1: what comparing it with literals can be. */
function outcomesOfEventNumber(test: (value: Scalar) => boolean, literals: readonly ValueNode[]): Outcomes {
  // The test changes only at its literals: they, their neighbours and both ends show every outcome.
  const samples = [1n, UINT64_MAX];
  for (const { text } of literals) {
    const literal = BigInt(parseLiteral(text, 'uint64'));
    samples.push(literal - 1n, literal, literal + 1n);
  }
  let bits = 0;
  for (const sample of samples) {
    if (sample < 1n || sample > UINT64_MAX) continue;
    bits |= test(normal(sample)) ? CAN_BE_TRUE : CAN_BE_FALSE;
  }
  return bits === EITHER ? undefined : new Uint8Array(PPM_EVENT_MAX).fill(bits);
}
