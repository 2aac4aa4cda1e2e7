/** Many named filters asked together: what they have in common is read and evaluated once per event. */
import { PPM_EVENT_MAX } from '../event/event-types.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { CompiledNode } from './comparison.ts';
import { EvaluationScope } from './compile-context.ts';
import type { CompiledFilter } from './filter.ts';
import { matchBranches, type PlanBranch, type PlanMember, planForType } from './type-plan.ts';

export interface FilterSetMember {
  /** Number of the filter, not negative, reported when it matches. */
  readonly id: number;
  /** Filters compiled by one `compileFilters` share; any other is asked by itself. */
  readonly filter: CompiledFilter;
}

/**
 * Immutable: filters are added and removed by making another set of the members wanted, which costs little, as a plan
 * for an event type is made when its first event comes.
 */
export class FilterSet {
  /** One byte per event type: 1 when one of the filters can match. */
  readonly eventTypes: Uint8Array;
  private readonly members: readonly PlanMember[];
  private readonly scope: EvaluationScope;
  /** Of the members; what they remember is stale with every event. */
  private readonly scopes: readonly EvaluationScope[];
  /** The checks whose outcome may hang on the type: types for which all come to the same share a plan. */
  private readonly typed: readonly Uint8Array[];
  private readonly plans: (readonly PlanBranch[] | undefined)[];
  private readonly plansByOutcomes: Map<string, readonly PlanBranch[]>;

  constructor(members: readonly FilterSetMember[]) {
    this.eventTypes = unionOfTypes(members);
    this.scope = new EvaluationScope();
    const scopes = new Set([this.scope]);
    const typed = new Set<Uint8Array>();
    const seen = new Set<CompiledNode>();
    this.members = members.map(({ id, filter }) => {
      if (filter.root === undefined) return { id, node: (event) => filter.matches(event) };
      scopes.add(filter.root.scope);
      collectOutcomes(filter.root.node, typed, seen);
      return { id, node: filter.root.node };
    });
    this.scopes = [...scopes];
    this.typed = [...typed];
    this.plans = new Array<undefined>(PPM_EVENT_MAX).fill(undefined);
    this.plansByOutcomes = new Map();
  }

  /** Puts the ids of the filters that hold for the event in the loop into `ids`, which comes empty, in ascending order. */
  matchInto(event: InspectedEvent, ids: number[]): void {
    const { type } = event.record;
    const plan = this.plans[type] ?? this.planOf(type);
    if (plan.length === 0) return;
    const { scopes } = this;
    for (let i = 0; i < scopes.length; i++) (scopes[i] as EvaluationScope).generation++;
    matchBranches(plan, event, ids);
    if (ids.length > 1) ids.sort(ascending);
  }

  private planOf(type: number): readonly PlanBranch[] {
    const outcomes = Buffer.from(this.typed.map((bits) => bits[type] as number)).latin1Slice();
    let plan = this.plansByOutcomes.get(outcomes);
    if (plan === undefined) {
      plan = planForType(this.members, type, this.scope);
      this.plansByOutcomes.set(outcomes, plan);
    }
    this.plans[type] = plan;
    return plan;
  }
}

function ascending(a: number, b: number): number {
  return a - b;
}

function collectOutcomes(node: CompiledNode, into: Set<Uint8Array>, seen: Set<CompiledNode>): void {
  if (node.outcomes === undefined || seen.has(node)) return;
  seen.add(node);
  const { shape } = node;
  if (shape.kind === 'check') into.add(node.outcomes);
  else if (shape.kind === 'not') collectOutcomes(shape.child, into, seen);
  else for (const child of shape.children) collectOutcomes(child, into, seen);
}

function unionOfTypes(members: readonly FilterSetMember[]): Uint8Array {
  const union = new Uint8Array(PPM_EVENT_MAX);
  for (const { filter } of members) {
    for (let type = 0; type < union.length; type++) {
      if (filter.eventTypes[type] === 1) union[type] = 1;
    }
  }
  return union;
}
