/** Fields whose rows give a comparison with literals another meaning than the bare one: names for ports, distances. */
import type { FieldRow } from '../fields/field.ts';
import type { CompareNode, ValueNode } from './ast.ts';

/** What is compared, and how. */
export interface LiteralComparison extends Pick<CompareNode, 'operator' | 'modifier'> {
  readonly values: readonly ValueNode[];
}

const EQUALITIES: ReadonlySet<CompareNode['operator']> = new Set(['=', '!=', 'in', 'intersects']);

/** The comparison that a field's row makes of one with literals. */
export function asRowMeans(comparison: LiteralComparison, row: FieldRow | undefined): LiteralComparison {
  const { operator, modifier, values } = comparison;
  if (row === undefined || !EQUALITIES.has(operator)) return comparison;
  const { valueOfLiteral } = row;
  if (valueOfLiteral !== undefined) {
    return {
      operator,
      modifier,
      values: values.map((value) => ({ ...value, text: valueOfLiteral(value.text) })),
    };
  }
  if (row.isDistance !== true) return comparison;
  if (operator === '!=') return { operator: '>', modifier, values };
  return { operator: '<=', modifier: operator === '=' ? modifier : 'anyof', values };
}
