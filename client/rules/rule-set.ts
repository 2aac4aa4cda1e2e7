/** The definitions of all files so far: later ones replace, extend or change earlier ones. */
import { nearestNames } from '../../server/event/nearest-names.ts';
import type {
  ExceptionDefinition,
  ListDefinition,
  MacroDefinition,
  RuleContent,
  RuleDefinition,
} from './definitions.ts';
import { RuleError } from './diagnostics.ts';
import { completeException } from './exception-check.ts';
import { MappedText } from './mapped-text.ts';
import type { PlaceCode } from './rule-files.ts';

/** The only source whose events are served. */
export const SYSCALL_SOURCE = 'syscall';

/** Maps keep the order of first definitions, which is the order in which rules are tried. */
export class RuleSet {
  readonly lists: Map<string, ListDefinition>;
  readonly macros: Map<string, MacroDefinition>;
  readonly rules: Map<string, RuleDefinition>;
  /** Names whose definition failed: what uses them is not reported again. */
  readonly broken: Set<string>;
  private changes: number;

  constructor() {
    this.lists = new Map();
    this.macros = new Map();
    this.rules = new Map();
    this.broken = new Set();
    this.changes = 0;
  }

  defineList(name: string, items: readonly MappedText[], code: PlaceCode): void {
    const change = this.changes++;
    const index = this.lists.get(name)?.index ?? change;
    this.lists.set(name, { name, items, code, index, visibility: change });
  }

  /** Throws RuleError when there is no such list. */
  appendList(name: string, items: readonly MappedText[], code: PlaceCode): void {
    const list = this.lists.get(name);
    if (list === undefined) throw unknownName('list', name, this.lists, code);
    list.items = [...list.items, ...items];
    list.visibility = this.changes++;
  }

  defineMacro(name: string, condition: MappedText, code: PlaceCode): void {
    const change = this.changes++;
    const index = this.macros.get(name)?.index ?? change;
    this.macros.set(name, { name, condition, code, index, visibility: change });
  }

  /** Throws RuleError when there is no such macro. */
  appendMacro(name: string, condition: MappedText, code: PlaceCode): void {
    const macro = this.macros.get(name);
    if (macro === undefined) throw unknownName('macro', name, this.macros, code);
    macro.condition = spaced(macro.condition, condition);
    macro.visibility = this.changes++;
  }

  /** Throws RuleError. */
  defineRule(rule: RuleDefinition): void {
    const previous = this.rules.get(rule.name);
    if (previous !== undefined && previous.source !== rule.source) {
      throw new RuleError(`rule '${rule.name}' is defined again with another source`, rule.code);
    }
    const exceptions = rule.exceptions.map((exception) => completeException(exception, isServed(rule)));
    this.rules.set(rule.name, { ...rule, exceptions });
  }

  /** Adds to a rule what `content` holds. Throws RuleError. */
  appendRule(name: string, content: Partial<RuleContent>, code: PlaceCode): void {
    const rule = this.mustRule(name, code);
    const exceptions = appendedExceptions(rule, content.exceptions ?? []);
    if (content.condition !== undefined) rule.condition = spaced(rule.condition, content.condition);
    if (content.output !== undefined) rule.output = spaced(rule.output, content.output);
    if (content.description !== undefined) rule.description += ` ${content.description}`;
    if (content.tags !== undefined) rule.tags = new Set([...rule.tags, ...content.tags]);
    rule.exceptions = exceptions;
  }

  /** Replaces in a rule what `content` holds. Throws RuleError. */
  replaceInRule(name: string, content: Partial<RuleContent>, code: PlaceCode): void {
    const rule = this.mustRule(name, code);
    const { exceptions, ...others } = content;
    Object.assign(rule, others);
    if (exceptions === undefined) return;
    rule.exceptions = exceptions.map((exception) => completeException(exception, isServed(rule)));
  }

  private mustRule(name: string, code: PlaceCode): RuleDefinition {
    const rule = this.rules.get(name);
    if (rule === undefined) throw unknownName('rule', name, this.rules, code);
    return rule;
  }
}

export function isServed({ source }: RuleDefinition): boolean {
  return source === SYSCALL_SOURCE;
}

function appendedExceptions(
  rule: RuleDefinition,
  added: readonly ExceptionDefinition[],
): readonly ExceptionDefinition[] {
  const exceptions = [...rule.exceptions];
  for (const exception of added) {
    const { name, code } = exception;
    const at = exceptions.findIndex((known) => known.name === name);
    const known = exceptions[at];
    if (known === undefined) {
      if (exception.values.length === 0)
        throw new RuleError(`the new exception '${name}' has no 'values'`, code);
      exceptions.push(completeException(exception, isServed(rule)));
      continue;
    }
    if (exception.fields !== undefined || exception.comps !== undefined) {
      const message = `exception '${name}' exists: only values can be appended, no fields or comps`;
      throw new RuleError(message, code);
    }
    exceptions[at] = { ...known, values: [...known.values, ...exception.values] };
  }
  return exceptions;
}

function spaced(first: MappedText, second: MappedText): MappedText {
  return MappedText.concat([first, MappedText.at(' ', second.codeAt(0)), second]);
}

function unknownName(
  kind: string,
  name: string,
  known: ReadonlyMap<string, unknown>,
  code: PlaceCode,
): RuleError {
  return new RuleError(
    `there is no ${kind} '${name}' before this to change`,
    code,
    nearestNames(name, known.keys(), 1),
  );
}
