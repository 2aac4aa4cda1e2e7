/** From a tree to a function of the event. */
import type { FieldValue } from '../fields/field.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { ExistsNode, FilterAst } from './ast.ts';
import { type CompiledNode, compileComparison, type EventTest } from './comparison.ts';
import {
  type CompileContext,
  type EvaluationScope,
  type FilterCatalogue,
  type FilterWarning,
  remembered,
} from './compile-context.ts';
import { outcomesOfAnd, outcomesOfExists, outcomesOfNot, outcomesOfOr } from './event-outcomes.ts';
import { FilterError } from './filter-error.ts';
import { NodeIds } from './node-ids.ts';
import { compileOperand } from './operand.ts';

export interface CompiledAst extends CompiledNode {
  readonly warnings: readonly FilterWarning[];
  readonly fields: readonly string[];
}

/**
 * Compiles a tree. The scope's generation must change before each event. What the condition says twice, a field or a
 * whole sub-expression, is evaluated once per event. Throws FilterError.
 */
export function compileAst(ast: FilterAst, catalogue: FilterCatalogue, scope: EvaluationScope): CompiledAst {
  const ids = new NodeIds();
  ids.add(ast);
  const context: CompileContext = {
    catalogue,
    scope,
    ids,
    operands: new Map(),
    warnings: [],
    fields: new Set(),
  };
  const compiled = new AstCompiler(context).compile(ast);
  return { ...compiled, warnings: context.warnings, fields: [...context.fields] };
}

class AstCompiler {
  private readonly context: CompileContext;
  /** By node id: an expression that comes again is the same function. */
  private readonly known: Map<number, CompiledNode>;

  constructor(context: CompileContext) {
    this.context = context;
    this.known = new Map();
  }

  compile(node: FilterAst): CompiledNode {
    const { ids, scope } = this.context;
    const id = ids.mustId(node);
    const known = this.known.get(id);
    if (known !== undefined) return known;
    const own = this.compileNew(node);
    const compiled = ids.isShared(id) ? { ...own, test: remembered(scope, own.test) } : own;
    this.known.set(id, compiled);
    return compiled;
  }

  private compileNew(node: FilterAst): CompiledNode {
    switch (node.kind) {
      case 'and': {
        const children = node.children.map((child) => this.compile(child));
        return { test: allOf(children), outcomes: outcomesOfAnd(children.map((child) => child.outcomes)) };
      }
      case 'or': {
        const children = node.children.map((child) => this.compile(child));
        return { test: anyOf(children), outcomes: outcomesOfOr(children.map((child) => child.outcomes)) };
      }
      case 'not': {
        const { test, outcomes } = this.compile(node.child);
        return { test: (event) => !test(event), outcomes: outcomesOfNot(outcomes) };
      }
      case 'identifier':
        throw new FilterError(`unknown macro '${node.name}': a condition compares fields`, node.position, {
          expected: ['a field', 'a transformer'],
        });
      case 'exists':
        return this.exists(node);
      case 'compare':
        return compileComparison(node, this.context);
    }
  }

  private exists(node: ExistsNode): CompiledNode {
    const { read, isList, row, argument, isPlainField } = compileOperand(node.left, this.context);
    const outcomes = isPlainField && row !== undefined ? outcomesOfExists(row, argument) : undefined;
    if (isList) return { test: (event) => read(event) !== undefined, outcomes };
    const test = (event: InspectedEvent): boolean => {
      const value: FieldValue = read(event);
      // Of a field that compares any of several values, one is enough.
      return value !== undefined && !(Array.isArray(value) && value.length === 0);
    };
    return { test, outcomes };
  }
}

/** Conditions of two and three parts are the most common; they get by without a loop. */
function allOf(children: readonly CompiledNode[]): EventTest {
  const tests = children.map((child) => child.test);
  const [a, b, c] = tests as [EventTest, EventTest, EventTest];
  if (tests.length === 2) return (event) => a(event) && b(event);
  if (tests.length === 3) return (event) => a(event) && b(event) && c(event);
  return (event: InspectedEvent) => {
    for (let i = 0; i < tests.length; i++) if (!(tests[i] as EventTest)(event)) return false;
    return true;
  };
}

function anyOf(children: readonly CompiledNode[]): EventTest {
  const tests = children.map((child) => child.test);
  const [a, b, c] = tests as [EventTest, EventTest, EventTest];
  if (tests.length === 2) return (event) => a(event) || b(event);
  if (tests.length === 3) return (event) => a(event) || b(event) || c(event);
  return (event: InspectedEvent) => {
    for (let i = 0; i < tests.length; i++) if ((tests[i] as EventTest)(event)) return true;
    return false;
  };
}
