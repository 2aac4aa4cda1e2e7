/** From definitions to rules that can be run: conditions expanded and compiled, outputs taken apart. */
import { FieldError } from '../../server/fields/field.ts';
import type { FilterAst } from '../../server/filter/ast.ts';
import { fromBinaryText, toBinaryText } from '../../server/filter/binary-text.ts';
import { compileFilter, FilterError, formatFilter, parseFilter } from '../../server/filter/filter.ts';
import { visitNodes } from '../../server/filter/visit.ts';
import { ConditionTexts } from './condition-texts.ts';
import type { Priority, RuleDefinition } from './definitions.ts';
import { type Diagnostics, Faults, RuleError, withSubject } from './diagnostics.ts';
import { conditionWithExceptions } from './exception-condition.ts';
import { type ExpandedList, expandLists, replaceLists } from './list-expansion.ts';
import { BrokenMacroError, MacroExpander } from './macro-expander.ts';
import { MappedText } from './mapped-text.ts';
import { type OutputPart, parseOutput } from './output-format.ts';
import type { Place, RuleFiles } from './rule-files.ts';
import { isServed, type RuleSet } from './rule-set.ts';

export interface Rule {
  readonly name: string;
  readonly place: Place;
  readonly description: string;
  readonly priority: Priority;
  readonly source: string;
  readonly tags: readonly string[];
  readonly isEnabled: boolean;
  /** The condition with its lists, macros and exceptions, as the server gets it. */
  readonly condition: string;
  readonly output: readonly OutputPart[];
}

export interface SkippedRule {
  readonly name: string;
  readonly place: Place;
  readonly reason: string;
}

export interface CompiledRules {
  /** In the order in which they are tried; disabled ones included. */
  readonly rules: readonly Rule[];
  readonly skipped: readonly SkippedRule[];
}

/** Rules that can match more types of events than this are slow everywhere. */
const EVENT_TYPES_MAX = 100;
const CONTAINER_INFO = '%container.info';

/** Compiles what `set` holds. Errors go to `diagnostics`; what has one is missing from the result. */
export function compileRules(set: RuleSet, files: RuleFiles, diagnostics: Diagnostics): CompiledRules {
  return new RuleCompiler(set, files, diagnostics).compile();
}

class RuleCompiler {
  private readonly set: RuleSet;
  private readonly files: RuleFiles;
  private readonly diagnostics: Diagnostics;
  private readonly texts: ConditionTexts;
  private readonly lists: readonly ExpandedList[];
  private readonly macros: MacroExpander;
  private readonly skipped: SkippedRule[];
  private readonly toldFaults: Set<string>;

  constructor(set: RuleSet, files: RuleFiles, diagnostics: Diagnostics) {
    this.set = set;
    this.files = files;
    this.diagnostics = diagnostics;
    this.texts = new ConditionTexts();
    this.lists = expandLists(set.lists, diagnostics);
    this.macros = new MacroExpander(set, this.texts);
    this.skipped = [];
    this.toldFaults = new Set();
  }

  compile(): CompiledRules {
    this.macros.expandAll(this.lists, this.diagnostics);
    const rules: Rule[] = [];
    for (const definition of this.set.rules.values()) {
      if (!isServed(definition)) {
        this.skip(definition, `events of source '${definition.source}' are not served`);
        continue;
      }
      this.diagnostics.attempt(() => {
        const rule = this.rule(definition);
        if (rule !== undefined) rules.push(rule);
      });
    }
    this.warnUnused();
    return { rules, skipped: this.skipped };
  }

  private skip({ name, code }: RuleDefinition, reason: string): void {
    this.skipped.push({ name, reason, place: this.files.place(code) });
    this.diagnostics.add('warning', `rule '${name}' is skipped: ${reason}`, code);
  }

  /** Undefined when the rule is skipped, or its fault has been told already. Throws RuleError. */
  private rule(definition: RuleDefinition): Rule | undefined {
    const { name, code } = definition;
    // Both are looked at, so that a fault in one does not hide those of the other.
    let output: readonly OutputPart[] | undefined;
    const hasOutput = this.diagnostics.attempt(() => {
      output = this.output(definition);
    });
    const condition = this.condition(definition);
    if (!hasOutput || output === undefined || condition === undefined) return undefined;
    const { description, priority, source } = definition;
    const tags = [...definition.tags].sort();
    const place = this.files.place(code);
    return {
      name,
      place,
      description,
      priority,
      source,
      tags,
      condition,
      output,
      isEnabled: definition.enabled,
    };
  }

  private condition(definition: RuleDefinition): string | undefined {
    const what = `rule '${definition.name}'`;
    let ast: FilterAst;
    try {
      const text = replaceLists(conditionWithExceptions(definition), this.lists);
      ast = this.macros.expand(this.texts.parse(text, what), what);
    } catch (error) {
      if (error instanceof BrokenMacroError) return undefined;
      throw withSubject(error, `${what}: `);
    }
    try {
      const { eventTypes, warnings } = compileFilter(ast);
      for (const { message, position } of warnings) {
        this.diagnostics.add('warning', `${what}: ${message}`, this.texts.codeAt(position.offset));
      }
      if (definition.warnEventTypes) this.warnEventTypes(definition, eventTypes);
      return this.sendable(formatFilter(ast), definition);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      if (definition.skipIfUnknownFilter && isUnknownField(error.reason)) this.skip(definition, error.reason);
      else this.throwFaults(ast, error, what);
      return undefined;
    }
  }

  /** Looks at every comparison by itself, as the compiler stops at the first fault. Throws AggregateError. */
  private throwFaults(ast: FilterAst, first: FilterError, what: string): void {
    const faults = new Faults();
    const add = (error: FilterError): void => {
      // A macro's fault is told once, not for every rule that uses it.
      const key = `${error.position.offset} ${error.reason}`;
      if (this.toldFaults.has(key)) return;
      this.toldFaults.add(key);
      faults.add(this.texts.ruleError(error, what));
    };
    visitNodes(ast, (node) => {
      if (node.kind !== 'compare' && node.kind !== 'exists') return;
      try {
        compileFilter(node);
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
        add(error);
      }
    });
    add(first);
    faults.throwIfAny();
  }

  /** The text of the expanded condition, if it is within the limits of those who parse it. */
  private sendable(text: string, { name, condition }: RuleDefinition): string {
    try {
      parseFilter(text);
      return text;
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      throw new RuleError(`rule '${name}': expanded, ${error.reason}`, condition.codeAt(0));
    }
  }

  private warnEventTypes({ name, code }: RuleDefinition, eventTypes: Uint8Array): void {
    const count = eventTypes.reduce((sum, canMatch) => sum + canMatch, 0);
    if (count === 0) this.diagnostics.add('warning', `rule '${name}' can match no event`, code);
    if (count <= EVENT_TYPES_MAX) return;
    const message = `rule '${name}' looks at nearly all events: compare evt.type to make it cheaper`;
    this.diagnostics.add('warning', message, code);
  }

  private output(definition: RuleDefinition): readonly OutputPart[] | undefined {
    const { name, code } = definition;
    const output = this.withoutContainerInfo(definition);
    if (output.text === '') throw new RuleError(`rule '${name}': the output is empty`, code);
    if (/%[0-9]*evt\.dir/.test(output.text)) {
      const message = `rule '${name}': the output holds the deprecated field evt.dir`;
      this.diagnostics.add('warning', message, output.codeAt(output.text.indexOf('evt.dir')));
    }
    try {
      return parseOutput(output.text);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      if (definition.skipIfUnknownFilter && isUnknownField(error.message)) {
        this.skip(definition, error.message);
        return undefined;
      }
      const shift = output.text.startsWith('*') ? 0 : 1;
      const before = fromBinaryText(toBinaryText(output.text).slice(0, Math.max(error.position - shift, 0)));
      const place = output.codeAt(before.length);
      throw new RuleError(`rule '${name}': output: ${error.message}`, place, error.suggestions);
    }
  }

  /** A placeholder of older rules that no longer stands for anything. */
  private withoutContainerInfo({ name, output }: RuleDefinition): MappedText {
    const at = output.text.indexOf(CONTAINER_INFO);
    if (at < 0) return output;
    this.diagnostics.add(
      'warning',
      `rule '${name}': ${CONTAINER_INFO} is deprecated and prints nothing; name the fields wanted`,
      output.codeAt(at),
    );
    const parts: MappedText[] = [];
    let taken = 0;
    for (let next = at; next >= 0; next = output.text.indexOf(CONTAINER_INFO, taken)) {
      parts.push(output.slice(taken, next));
      taken = next + CONTAINER_INFO.length;
    }
    return MappedText.concat([...parts, output.slice(taken)]);
  }

  private warnUnused(): void {
    // What has an error may have been the one to use them.
    if (this.diagnostics.hasErrors) return;
    for (const { name, code, isUsed } of this.macros.macros.values()) {
      if (!isUsed) this.diagnostics.add('warning', `macro '${name}' is used by no rule or macro`, code);
    }
    for (const { name, code, isUsed } of this.lists) {
      if (!isUsed) this.diagnostics.add('warning', `list '${name}' is used by no rule, macro or list`, code);
    }
  }
}

function isUnknownField(reason: string): boolean {
  return reason.startsWith('unknown field');
}
