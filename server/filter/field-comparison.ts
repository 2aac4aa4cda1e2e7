/** Comparisons of one operand with another: `proc.name = val(proc.pname)`. */
import type { Scalar } from '../fields/field.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { CompareNode, OperandNode } from './ast.ts';
import { compileScalarComparison, normal, type SingleOperator } from './comparator.ts';
import { FilterError } from './filter-error.ts';
import type { Operand } from './operand.ts';

/** True when both values are present and compare true. Throws FilterError. */
export function compileFieldComparison(
  node: CompareNode,
  left: Operand,
  right: Operand,
  rightNode: OperandNode,
): (event: InspectedEvent) => boolean {
  checkSides(node, left, right, rightNode);
  const { operator } = node;
  if (operator === 'in' || operator === 'intersects') {
    return left.isList ? listComparison(operator, left, right) : singleComparison('=', left, right);
  }
  return singleComparison(operator as SingleOperator, left, right);
}

function checkSides(node: CompareNode, left: Operand, right: Operand, rightNode: OperandNode): void {
  const { operator, position } = node;
  if (operator === 'pmatch' || operator === 'regex') {
    throw new FilterError(`operator '${operator}' does not take a field on its right`, rightNode.position);
  }
  if (left.row?.noRhs === true || left.type === 'ipnet' || left.type === 'dynamic') {
    throw new FilterError(`'${left.label}' does not compare with another field`, position);
  }
  if (right.row?.noRhs === true) {
    throw new FilterError(`'${right.label}' may not stand on the right of a comparison`, rightNode.position);
  }
  if (left.type === right.type && left.isList === right.isList) return;
  throw new FilterError(
    `'${left.label}' has ${typeText(left)}, '${right.label}' has ${typeText(right)}`,
    rightNode.position,
  );
}

function typeText(operand: Operand): string {
  return operand.isList ? `a list of ${operand.type}` : `type ${operand.type}`;
}

function singleComparison(operator: SingleOperator, left: Operand, right: Operand) {
  const compare = compileScalarComparison(operator);
  const readLeft = left.read;
  const readRight = right.read;
  return (event: InspectedEvent): boolean => {
    const a = readLeft(event);
    if (a === undefined) return false;
    const b = readRight(event);
    return b !== undefined && compare(a as Scalar, b as Scalar);
  };
}

function listComparison(operator: 'in' | 'intersects', left: Operand, right: Operand) {
  const readLeft = left.read;
  const readRight = right.read;
  return (event: InspectedEvent): boolean => {
    const items = readLeft(event) as readonly Scalar[] | undefined;
    if (items === undefined) return false;
    const wanted = readRight(event) as readonly Scalar[] | undefined;
    if (wanted === undefined) return false;
    const set = new Set(wanted.map(normal));
    const isMember = (item: Scalar) => set.has(normal(item));
    return operator === 'in' ? items.every(isMember) : items.some(isMember);
  };
}
