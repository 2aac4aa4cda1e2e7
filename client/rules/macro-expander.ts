/** Replaces the names of macros in conditions by the macros' conditions. */
import { nearestNames } from '../../server/event/nearest-names.ts';
import type { AnyNode, FilterAst, IdentifierNode } from '../../server/filter/ast.ts';
import { childrenOf, replaceIdentifiers } from '../../server/filter/visit.ts';
import type { ConditionTexts } from './condition-texts.ts';
import { type Diagnostics, Faults, RuleError } from './diagnostics.ts';
import { type ExpandedList, replaceLists } from './list-expansion.ts';
import type { PlaceCode } from './rule-files.ts';
import type { RuleSet } from './rule-set.ts';

/** Nodes of a condition with its macros: macros of macros of macros grow fast. */
const NODES_MAX = 100_000;
/** Levels of a condition with its macros. */
const DEPTH_MAX = 500;

/** What uses a macro that has an error of its own: not reported again. */
export class BrokenMacroError extends Error {
  constructor(name: string) {
    super(`macro '${name}' has errors`);
    this.name = 'BrokenMacroError';
  }
}

export interface ExpandedMacro {
  readonly name: string;
  readonly code: PlaceCode;
  readonly index: number;
  readonly visibility: number;
  /** With the macros in it replaced, once it was its turn. */
  ast: FilterAst;
  isUsed: boolean;
}

/** The expansion of one condition. */
interface Expansion {
  readonly what: string;
  readonly visibility: number;
  /** Macros being expanded, the outermost first. */
  readonly path: string[];
  nodes: number;
  brokenMacro: string | undefined;
}

interface TreeSize {
  readonly nodes: number;
  readonly depth: number;
}

export class MacroExpander {
  readonly macros: ReadonlyMap<string, ExpandedMacro>;
  private readonly known: Map<string, ExpandedMacro>;
  private readonly rules: RuleSet;
  private readonly texts: ConditionTexts;
  private readonly sizes: Map<FilterAst, TreeSize>;

  constructor(rules: RuleSet, texts: ConditionTexts) {
    this.known = new Map();
    this.macros = this.known;
    this.rules = rules;
    this.texts = texts;
    this.sizes = new Map();
  }

  /** Parses all macros and expands each with those defined before its last change. */
  expandAll(lists: readonly ExpandedList[], diagnostics: Diagnostics): void {
    const { broken } = this.rules;
    for (const macro of this.rules.macros.values()) {
      const { name, code, index, visibility } = macro;
      const isWell = diagnostics.attempt(() => {
        const ast = this.texts.parse(replaceLists(macro.condition, lists), `macro '${name}'`);
        this.known.set(name, { name, code, index, visibility, ast, isUsed: false });
      });
      if (!isWell) broken.add(`macro ${name}`);
    }
    for (const macro of this.known.values()) {
      const isWell = diagnostics.attempt(() => {
        try {
          macro.ast = this.expand(macro.ast, `macro '${macro.name}'`, macro);
        } catch (error) {
          if (!(error instanceof BrokenMacroError)) throw error;
          broken.add(`macro ${macro.name}`);
        }
      });
      if (!isWell) broken.add(`macro ${macro.name}`);
    }
  }

  /** `own`: the macro whose condition it is. Throws AggregateError, and BrokenMacroError when it needs a macro with errors. */
  expand(ast: FilterAst, what: string, own?: ExpandedMacro): FilterAst {
    const faults = new Faults();
    const expansion: Expansion = {
      what,
      visibility: own?.visibility ?? Number.POSITIVE_INFINITY,
      path: own === undefined ? [] : [own.name],
      nodes: 0,
      brokenMacro: undefined,
    };
    const expanded = this.expandWithin(ast, expansion, faults);
    faults.throwIfAny();
    if (expansion.brokenMacro !== undefined) throw new BrokenMacroError(expansion.brokenMacro);
    return expanded;
  }

  private expandWithin(ast: FilterAst, expansion: Expansion, faults: Faults): FilterAst {
    expansion.nodes += this.sizeOf(ast).nodes;
    if (expansion.nodes > NODES_MAX) return ast;
    return replaceIdentifiers(ast, (node) => faults.attempt(() => this.replacement(node, expansion, faults)));
  }

  private replacement(node: IdentifierNode, expansion: Expansion, faults: Faults): FilterAst | undefined {
    const { what, path } = expansion;
    if (this.rules.broken.has(`macro ${node.name}`)) {
      expansion.brokenMacro = node.name;
      return undefined;
    }
    const macro = this.visibleMacro(node, expansion);
    if (path.length > DEPTH_MAX || path.includes(macro.name)) {
      throw this.error(node, `${what}: macro '${macro.name}' refers to itself`);
    }
    macro.isUsed = true;
    path.push(macro.name);
    const inner = this.expandWithin(macro.ast, expansion, faults);
    path.pop();
    if (expansion.nodes > NODES_MAX) {
      throw this.error(node, `${what}: with its macros the condition has more than ${NODES_MAX} parts`);
    }
    if (path.length + this.sizeOf(inner).depth > DEPTH_MAX) {
      throw this.error(node, `${what}: with its macros the condition nests deeper than ${DEPTH_MAX} levels`);
    }
    return inner;
  }

  private visibleMacro(node: IdentifierNode, { what, visibility }: Expansion): ExpandedMacro {
    const { name } = node;
    const macro = this.known.get(name);
    if (macro !== undefined && macro.index < visibility) return macro;
    if (macro !== undefined) throw this.error(node, `${what}: macro '${name}' is used before it is defined`);
    if (this.rules.lists.has(name)) throw this.error(node, `${what}: '${name}' is a list, not a macro`);
    throw this.error(node, `${what}: there is no macro '${name}'`, nearestNames(name, this.known.keys(), 1));
  }

  private error(node: IdentifierNode, message: string, suggestions: readonly string[] = []): RuleError {
    return new RuleError(message, this.texts.codeAt(node.position.offset), suggestions);
  }

  /** Counted once per macro: trees are shared between the conditions they are part of. */
  private sizeOf(ast: FilterAst): TreeSize {
    let size = this.sizes.get(ast);
    if (size === undefined) {
      size = measure(ast);
      this.sizes.set(ast, size);
    }
    return size;
  }
}

function measure(node: AnyNode): TreeSize {
  let nodes = 1;
  let depth = 0;
  for (const child of childrenOf(node)) {
    const size = measure(child);
    nodes += size.nodes;
    depth = Math.max(depth, size.depth);
  }
  return { nodes, depth: depth + 1 };
}
