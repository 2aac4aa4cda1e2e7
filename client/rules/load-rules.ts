/** Rule files in Falco's format, from text to rules that can be run. */
import { isSeq, parseAllDocuments } from 'yaml';
import { type CompiledRules, compileRules } from './compile-rules.ts';
import { type Diagnostic, Diagnostics } from './diagnostics.ts';
import { isNullNode } from './item-node.ts';
import { readItem } from './item-reader.ts';
import { type RuleFile, RuleFiles } from './rule-files.ts';
import { RuleSet } from './rule-set.ts';

export interface LoadedRules extends CompiledRules {
  readonly macroCount: number;
  readonly listCount: number;
  /** Errors, warnings and notes in the order of files and lines. */
  readonly diagnostics: readonly Diagnostic[];
  readonly hasErrors: boolean;
}

/** A file as it was read. */
export interface RuleSource {
  readonly name: string;
  readonly text: string;
}

/** Characters of a rule file: the official ones have 100,000. */
const FILE_CHARACTERS_MAX = 16 * 1024 * 1024;

/** Loads files in their order; later ones change what earlier ones define. Never throws: every fault is a diagnostic. */
export function loadRules(sources: readonly RuleSource[]): LoadedRules {
  const files = new RuleFiles();
  const diagnostics = new Diagnostics(files);
  const set = new RuleSet();
  let isReadable = true;
  for (const { name, text } of sources) {
    const isTooLong = text.length > FILE_CHARACTERS_MAX;
    const file = files.add(name, isTooLong ? '' : text);
    if (isTooLong)
      diagnostics.add('error', `the file is longer than ${FILE_CHARACTERS_MAX} characters`, file.start);
    isReadable = readFile(file, set, diagnostics) && isReadable && !isTooLong;
  }
  // What a file that is no YAML would have defined is missing: nothing can be said about what uses it.
  const compiled = isReadable ? compileRules(set, files, diagnostics) : { rules: [], skipped: [] };
  const { hasErrors } = diagnostics;
  const order = new Map(sources.map(({ name }, i) => [name, i]));
  const sorted = [...diagnostics.all].sort(
    ({ place: a }, { place: b }) =>
      (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.line - b.line || a.column - b.column,
  );
  return {
    ...compiled,
    macroCount: set.macros.size,
    listCount: set.lists.size,
    diagnostics: sorted,
    hasErrors,
  };
}

/** False when the text is no YAML. */
function readFile(file: RuleFile, rules: RuleSet, diagnostics: Diagnostics): boolean {
  // All scalars stay text: items such as 0x10 or 1e3 mean what is written.
  const documents = parseAllDocuments(file.text, {
    schema: 'failsafe',
    lineCounter: file.lines,
    uniqueKeys: false,
    prettyErrors: false,
  });
  if (!Array.isArray(documents)) return true;
  let isReadable = true;
  for (const document of documents) {
    for (const { message, pos } of document.errors) {
      diagnostics.add('error', `not valid YAML: ${message}`, file.start + pos[0]);
      isReadable = false;
    }
    if (document.errors.length > 0 || isNullNode(document.contents)) continue;
    const { contents } = document;
    if (!isSeq(contents)) {
      const place = file.start + (contents?.range?.[0] ?? 0);
      diagnostics.add('error', 'a rule file must be a sequence of items', place);
      continue;
    }
    const context = { file, document };
    for (const item of contents.items) {
      if (isNullNode(item)) continue;
      diagnostics.attempt(() => readItem(item, context, { rules, diagnostics }));
    }
  }
  return isReadable;
}
