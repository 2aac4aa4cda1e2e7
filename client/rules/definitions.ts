/** Rules, macros and lists as the files define them, before anything is expanded. */
import type { MappedText } from './mapped-text.ts';
import type { PlaceCode } from './rule-files.ts';

/** Names of priorities, most severe first. */
export const PRIORITIES = [
  'Emergency',
  'Alert',
  'Critical',
  'Error',
  'Warning',
  'Notice',
  'Informational',
  'Debug',
] as const;

export type Priority = (typeof PRIORITIES)[number];

export interface ListDefinition {
  readonly name: string;
  readonly code: PlaceCode;
  items: readonly MappedText[];
  /** Place in the order of definitions; a redefinition keeps the first one's. */
  readonly index: number;
  /** Number of the last change: what was defined before it can be seen. */
  visibility: number;
}

export interface MacroDefinition {
  readonly name: string;
  readonly code: PlaceCode;
  condition: MappedText;
  readonly index: number;
  visibility: number;
}

/** A scalar or a list, as `fields`, `comps` and `values` of exceptions hold them. */
export type ExceptionEntry =
  | { readonly isList: false; readonly item: MappedText }
  | { readonly isList: true; readonly items: readonly ExceptionEntry[] };

export interface ExceptionDefinition {
  readonly name: string;
  readonly code: PlaceCode;
  readonly fields: ExceptionEntry | undefined;
  readonly comps: ExceptionEntry | undefined;
  readonly values: readonly ExceptionEntry[];
}

/** What of a rule `override` and `append` can change. */
export interface RuleContent {
  condition: MappedText;
  output: MappedText;
  description: string;
  priority: Priority;
  tags: ReadonlySet<string>;
  exceptions: readonly ExceptionDefinition[];
  enabled: boolean;
  warnEventTypes: boolean;
  skipIfUnknownFilter: boolean;
}

export interface RuleDefinition extends RuleContent {
  readonly name: string;
  readonly code: PlaceCode;
  readonly source: string;
}

export function parsePriority(text: string): Priority | undefined {
  const wanted = text.toLowerCase();
  if (wanted === 'info') return 'Informational';
  return PRIORITIES.find((name) => name.toLowerCase() === wanted);
}
