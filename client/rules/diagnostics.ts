/** What is wrong with rules, and where: collected, so that one fault does not hide the next. */
import type { Place, PlaceCode, RuleFiles } from './rule-files.ts';

export type Severity = 'error' | 'warning' | 'note';

export interface Diagnostic {
  readonly severity: Severity;
  readonly place: Place;
  readonly message: string;
  /** Names close to an unknown one, best first. */
  readonly suggestions: readonly string[];
}

/** Ends the reading of one item. */
export class RuleError extends Error {
  readonly code: PlaceCode;
  readonly suggestions: readonly string[];

  constructor(message: string, code: PlaceCode, suggestions: readonly string[] = []) {
    super(message);
    this.name = 'RuleError';
    this.code = code;
    this.suggestions = suggestions;
  }
}

export class Diagnostics {
  private readonly files: RuleFiles;
  private readonly found: Diagnostic[];

  constructor(files: RuleFiles) {
    this.files = files;
    this.found = [];
  }

  get hasErrors(): boolean {
    return this.found.some(({ severity }) => severity === 'error');
  }

  /** In the order they were found. */
  get all(): readonly Diagnostic[] {
    return this.found;
  }

  add(severity: Severity, message: string, code: PlaceCode, suggestions: readonly string[] = []): void {
    this.found.push({ severity, message, place: this.files.place(code), suggestions });
  }

  /** Runs `work`; a RuleError it throws becomes an error, and false is returned. */
  attempt(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      this.add('error', error.message, error.code, error.suggestions);
      return false;
    }
  }
}

/** `file:line:column: severity: message`, as editors understand it. */
export function formatDiagnostic({ severity, place, message, suggestions }: Diagnostic): string {
  const hint = suggestions.length === 0 ? '' : `; did you mean ${suggestions.join(' or ')}?`;
  return `${place.file}:${place.line}:${place.column}: ${severity}: ${message}${hint}`;
}
