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
import { formatNode } from './format-filter.ts';
import { NodeIds } from './node-ids.ts';
import { compileOperand } from './operand.ts';
import { visitNodes } from './visit.ts';

export interface CompiledAst extends CompiledNode {
  readonly warnings: readonly FilterWarning[];
  readonly fields: readonly string[];
}

/**
 * Compiles a tree. The scope's generation must change before each event. What the condition says twice, a field or a
 * whole sub-expression, is evaluated once per event. Throws FilterError.
 */
export function compileAst(ast: FilterAst, catalogue: FilterCatalogue, scope: EvaluationScope): CompiledAst {
  const compiler = new AstCompiler(catalogue, scope);
  compiler.announce(ast);
  return compiler.compile(ast);
}

/**
 * Compiles trees that are evaluated together: what several of them say, a field or a whole sub-expression, is the same
 * object in all. Announce all, then compile each; a fault is thrown by the first tree that has it.
 */
export class AstCompiler {
  private readonly catalogue: FilterCatalogue;
  private readonly scope: EvaluationScope;
  private readonly ids: NodeIds;
  private readonly operands: CompileContext['operands'];
  /** By node id: an expression that comes again is the same function. */
  private readonly known: Map<number, CompiledNode>;

  constructor(catalogue: FilterCatalogue, scope: EvaluationScope) {
    this.catalogue = catalogue;
    this.scope = scope;
    this.ids = new NodeIds();
    this.operands = new Map();
    this.known = new Map();
  }

  announce(ast: FilterAst): void {
    this.ids.add(ast);
  }

  /** Throws FilterError. Warnings name what earlier trees did not have already. */
  compile(ast: FilterAst): CompiledAst {
    const { catalogue, scope, ids, operands } = this;
    const fields = new Set<string>();
    visitNodes(ast, (node) => {
      if (node.kind === 'field') fields.add(formatNode(node));
    });
    const context: CompileContext = { catalogue, scope, ids, operands, warnings: [], fields: new Set() };
    const compiled = new NodeCompiler(context, this.known).compile(ast);
    return { ...compiled, warnings: context.warnings, fields: [...fields] };
  }
}

class NodeCompiler {
  private readonly context: CompileContext;
  private readonly known: Map<number, CompiledNode>;

  constructor(context: CompileContext, known: Map<number, CompiledNode>) {
    this.context = context;
    this.known = known;
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
        const outcomes = outcomesOfAnd(children.map((child) => child.outcomes));
        return { test: allOf(testsOf(children)), outcomes, shape: { kind: 'and', children } };
      }
      case 'or': {
        const children = node.children.map((child) => this.compile(child));
        const outcomes = outcomesOfOr(children.map((child) => child.outcomes));
        return { test: anyOf(testsOf(children)), outcomes, shape: { kind: 'or', children } };
      }
      case 'not': {
        const child = this.compile(node.child);
        const { test, outcomes } = child;
        return {
          test: (event) => !test(event),
          outcomes: outcomesOfNot(outcomes),
          shape: { kind: 'not', child },
        };
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
    if (isList) {
      const hasList = (event: InspectedEvent): boolean => read(event) !== undefined;
      return { test: hasList, outcomes, shape: { kind: 'check', test: hasList } };
    }
    const test = (event: InspectedEvent): boolean => {
      const value: FieldValue = read(event);
      // Of a field that compares any of several values, one is enough.
      return value !== undefined && !(Array.isArray(value) && value.length === 0);
    };
    return { test, outcomes, shape: { kind: 'check', test } };
  }
}

function testsOf(nodes: readonly CompiledNode[]): EventTest[] {
  return nodes.map((node) => node.test);
}

/** All hold. Conditions of up to three parts are the most common; they get by without a loop. */
export function allOf(tests: readonly EventTest[]): EventTest {
  const [a, b, c] = tests as [EventTest, EventTest, EventTest];
  if (tests.length === 1) return a;
  if (tests.length === 2) return (event) => a(event) && b(event);
  if (tests.length === 3) return (event) => a(event) && b(event) && c(event);
  return (event: InspectedEvent) => {
    for (let i = 0; i < tests.length; i++) if (!(tests[i] as EventTest)(event)) return false;
    return true;
  };
}

/** One of them holds. */
export function anyOf(tests: readonly EventTest[]): EventTest {
  const [a, b, c] = tests as [EventTest, EventTest, EventTest];
  if (tests.length === 1) return a;
  if (tests.length === 2) return (event) => a(event) || b(event);
  if (tests.length === 3) return (event) => a(event) || b(event) || c(event);
  return (event: InspectedEvent) => {
    for (let i = 0; i < tests.length; i++) if ((tests[i] as EventTest)(event)) return true;
    return false;
  };
}
