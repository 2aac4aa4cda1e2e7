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
  private readonly told: Set<string>;

  constructor(files: RuleFiles) {
    this.files = files;
    this.found = [];
    this.told = new Set();
  }

  get hasErrors(): boolean {
    return this.found.some(({ severity }) => severity === 'error');
  }

  /** In the order they were found. */
  get all(): readonly Diagnostic[] {
    return this.found;
  }

  add(severity: Severity, message: string, code: PlaceCode, suggestions: readonly string[] = []): void {
    const place = this.files.place(code);
    const key = `${place.file}:${place.line}:${place.column}: ${message}`;
    if (this.told.has(key)) return;
    this.told.add(key);
    this.found.push({ severity, message, place, suggestions });
  }

  /** Runs `work`; a RuleError it throws, or an AggregateError of several, becomes errors, and false is returned. */
  attempt(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      const faults: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
      for (const fault of faults) {
        if (!(fault instanceof RuleError)) throw error;
        this.add('error', fault.message, fault.code, fault.suggestions);
      }
      return false;
    }
  }
}

/** A RuleError that says what it is about, such as `rule 'x': `; other errors, and those that say so already, as they are. */
export function withSubject(error: unknown, subject: string): unknown {
  if (!(error instanceof RuleError) || error.message.startsWith(subject)) return error;
  return new RuleError(subject + error.message, error.code, error.suggestions);
}

/** Collects the faults of work that goes on after each of them. */
export class Faults {
  private readonly found: RuleError[];

  constructor() {
    this.found = [];
  }

  add(fault: RuleError): void {
    this.found.push(fault);
  }

  /** What `work` returns, or undefined when it throws a RuleError. */
  attempt<Value>(work: () => Value): Value | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      this.found.push(error);
      return undefined;
    }
  }

  /** Throws an AggregateError when there are any. */
  throwIfAny(): void {
    if (this.found.length > 0) throw new AggregateError(this.found);
  }
}

/** `file:line:column: severity: message`, as editors understand it. */
export function formatDiagnostic({ severity, place, message, suggestions }: Diagnostic): string {
  const hint = suggestions.length === 0 ? '' : `; did you mean ${suggestions.join(' or ')}?`;
  return `${place.file}:${place.line}:${place.column}: ${severity}: ${message}${hint}`;
}
