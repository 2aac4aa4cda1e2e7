/** What `strata rules check` prints. */
import { formatDiagnostic, type Severity } from './diagnostics.ts';
import type { LoadedRules } from './load-rules.ts';

interface Counts {
  readonly rules: number;
  readonly disabled: number;
  readonly skipped: number;
  readonly macros: number;
  readonly lists: number;
  readonly errors: number;
  readonly warnings: number;
}

/** One line per diagnostic, and one with the counts. */
export function checkText(loaded: LoadedRules): string {
  const counts = countsOf(loaded);
  const parts = [
    `${counts.rules} rules (${counts.disabled} disabled)`,
    `${counts.macros} macros`,
    `${counts.lists} lists`,
    `${counts.skipped} rules skipped`,
    `${counts.errors} errors`,
    `${counts.warnings} warnings`,
  ];
  return `${[...loaded.diagnostics.map(formatDiagnostic), parts.join(', ')].join('\n')}\n`;
}

/** The same as one object, and the rules with their expanded conditions. */
export function checkJson(loaded: LoadedRules): string {
  const rules = loaded.rules.map(({ name, place, priority, source, tags, isEnabled, condition }) => ({
    name,
    ...place,
    priority,
    source,
    tags,
    enabled: isEnabled,
    condition,
  }));
  const skipped = loaded.skipped.map(({ name, place, reason }) => ({ name, ...place, reason }));
  const diagnostics = loaded.diagnostics.map(({ severity, place, message, suggestions }) => ({
    severity,
    ...place,
    message,
    suggestions,
  }));
  return `${JSON.stringify({ valid: !loaded.hasErrors, counts: countsOf(loaded), diagnostics, rules, skipped })}\n`;
}

function countsOf({ rules, skipped, macroCount, listCount, diagnostics }: LoadedRules): Counts {
  const of = (wanted: Severity): number => diagnostics.filter(({ severity }) => severity === wanted).length;
  return {
    rules: rules.length,
    disabled: rules.filter(({ isEnabled }) => !isEnabled).length,
    skipped: skipped.length,
    macros: macroCount,
    lists: listCount,
    errors: of('error'),
    warnings: of('warning'),
  };
}
