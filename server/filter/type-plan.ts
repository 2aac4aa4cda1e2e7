/**
 * The filters of a set, put together anew for one event type: what the type decides is gone, filters it rules out are
 * gone, and what several filters ask first is asked once, in a tree whose branches are such common parts.
 */
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { CompiledNode, EventTest } from './comparison.ts';
import { type EvaluationScope, remembered } from './compile-context.ts';
import { allOf, anyOf } from './compiler.ts';
import { CAN_BE_FALSE, CAN_BE_TRUE } from './event-outcomes.ts';

/** One filter of a set. */
export interface PlanMember {
  /** What is reported when it matches. */
  readonly id: number;
  /** A test as it is for filters that were not compiled together with others. */
  readonly node: CompiledNode | EventTest;
}

/** When the test holds, the filter `id` matches (-1: none does by this alone), and the branches are worth asking. */
export interface PlanBranch {
  readonly test: EventTest;
  readonly id: number;
  readonly branches: readonly PlanBranch[];
}

/** Appends the ids of the filters that match, in no particular order. */
export function matchBranches(branches: readonly PlanBranch[], event: InspectedEvent, ids: number[]): void {
  for (let i = 0; i < branches.length; i++) {
    const branch = branches[i] as PlanBranch;
    if (!branch.test(event)) continue;
    if (branch.id >= 0) ids.push(branch.id);
    if (branch.branches.length > 0) matchBranches(branch.branches, event, ids);
  }
}

/** The tree for one event type. Linear in the size of the filters, but for sorting. */
export function planForType(
  members: readonly PlanMember[],
  type: number,
  scope: EvaluationScope,
): readonly PlanBranch[] {
  const residuals = new Residuals(type);
  const filters: PlannedFilter[] = [];
  for (const { id, node } of members) {
    const residual = typeof node === 'function' ? residuals.ofTest(node) : residuals.of(node);
    if (residual === false) continue;
    filters.push({ id, parts: residual === true ? [] : conjunctsOf(residual) });
  }
  const root = grow(filters);
  const tests = new Tests(scope);
  tests.count(root);
  return tests.branchesOf(root);
}

/** An expression of which only what the type leaves open remains; equal ones are one object. */
interface Residual {
  readonly order: number;
  readonly kind: 'and' | 'or' | 'not' | 'check';
  readonly children: readonly Residual[];
  readonly check: EventTest | undefined;
}

interface PlannedFilter {
  readonly id: number;
  readonly parts: readonly Residual[];
}

class Residuals {
  private readonly type: number;
  private readonly byNode: Map<CompiledNode, Residual | boolean>;
  private readonly byKey: Map<string, Residual>;
  private nextOrder: number;

  constructor(type: number) {
    this.type = type;
    this.byNode = new Map();
    this.byKey = new Map();
    this.nextOrder = 0;
  }

  of(node: CompiledNode): Residual | boolean {
    const known = this.byNode.get(node);
    if (known !== undefined) return known;
    const residual = this.build(node);
    this.byNode.set(node, residual);
    return residual;
  }

  ofTest(check: EventTest): Residual {
    return { order: this.nextOrder++, kind: 'check', children: [], check };
  }

  private build(node: CompiledNode): Residual | boolean {
    const bits = node.outcomes?.[this.type];
    if (bits === CAN_BE_TRUE) return true;
    if (bits === CAN_BE_FALSE) return false;
    const { shape } = node;
    if (shape.kind === 'check') return this.ofTest(shape.test);
    if (shape.kind === 'not') {
      const child = this.of(shape.child);
      return typeof child === 'boolean' ? !child : this.joined('not', [child]);
    }
    // What "and" and "or" come to without looking further.
    const decisive = shape.kind === 'or';
    const open = new Set<Residual>();
    for (const child of shape.children) {
      const residual = this.of(child);
      if (residual === decisive) return decisive;
      if (typeof residual !== 'boolean') open.add(residual);
    }
    const children = [...open];
    if (children.length === 0) return !decisive;
    return children.length === 1 ? (children[0] as Residual) : this.joined(shape.kind, children);
  }

  private joined(kind: 'and' | 'or' | 'not', children: readonly Residual[]): Residual {
    const key = `${kind}${children.map((child) => child.order).join()}`;
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const residual: Residual = { order: this.nextOrder++, kind, children, check: undefined };
    this.byKey.set(key, residual);
    return residual;
  }
}

/** The parts of a condition that must all hold, each once, in the order written. */
function conjunctsOf(residual: Residual): readonly Residual[] {
  if (residual.kind !== 'and') return [residual];
  return [...new Set(residual.children.flatMap(conjunctsOf))];
}

/** A branch in the making. */
interface Growing {
  /** All must hold. */
  readonly parts: readonly Residual[];
  readonly id: number;
  readonly branches: Growing[];
  readonly byPart: Map<Residual, Growing>;
}

function growing(parts: readonly Residual[], id: number): Growing {
  return { parts, id, branches: [], byPart: new Map() };
}

/**
 * What most filters ask comes first, so that one answer rules many out; the rest stays as written. Negations are mostly
 * exceptions, which hold for nearly every event: they rule little out and wait until a filter's own checks have held.
 */
function grow(filters: readonly PlannedFilter[]): Growing {
  const uses = new Map<Residual, number>();
  for (const { parts } of filters) for (const part of parts) uses.set(part, (uses.get(part) ?? 0) + 1);
  const usesOf = (part: Residual): number => uses.get(part) as number;
  const isCommon = (part: Residual): boolean => usesOf(part) > 1 && part.kind !== 'not';
  const root = growing([], -1);
  for (const { id, parts } of filters) {
    const common = parts.filter(isCommon);
    common.sort((a, b) => usesOf(b) - usesOf(a) || a.order - b.order);
    let at = root;
    for (const part of common) {
      let next = at.byPart.get(part);
      if (next === undefined) {
        next = growing([part], -1);
        at.byPart.set(part, next);
        at.branches.push(next);
      }
      at = next;
    }
    at.branches.push(
      growing(
        parts.filter((part) => !isCommon(part)),
        id,
      ),
    );
  }
  return root;
}

/** Makes the functions; what is asked from more than one place remembers its answer. */
class Tests {
  private readonly scope: EvaluationScope;
  private readonly uses: Map<Residual, number>;
  private readonly made: Map<Residual, EventTest>;

  constructor(scope: EvaluationScope) {
    this.scope = scope;
    this.uses = new Map();
    this.made = new Map();
  }

  count(branch: Growing): void {
    for (const part of branch.parts) this.use(part);
    for (const below of branch.branches) this.count(below);
  }

  branchesOf({ branches }: Growing): readonly PlanBranch[] {
    return branches.map((branch) => ({
      test: allOf(branch.parts.map((part) => this.testOf(part))),
      id: branch.id,
      branches: this.branchesOf(branch),
    }));
  }

  private use(residual: Residual): void {
    const count = (this.uses.get(residual) ?? 0) + 1;
    this.uses.set(residual, count);
    // Remembered, it asks its own parts from one place, however often it is asked.
    if (count === 1) for (const child of residual.children) this.use(child);
  }

  private testOf(residual: Residual): EventTest {
    const known = this.made.get(residual);
    if (known !== undefined) return known;
    const own = this.newTest(residual);
    const test = (this.uses.get(residual) as number) > 1 ? remembered(this.scope, own) : own;
    this.made.set(residual, test);
    return test;
  }

  private newTest({ kind, children, check }: Residual): EventTest {
    if (kind === 'check') return check as EventTest;
    const tests = children.map((child) => this.testOf(child));
    if (kind === 'and') return allOf(tests);
    if (kind === 'or') return anyOf(tests);
    const test = tests[0] as EventTest;
    return (event) => !test(event);
  }
}
