/**
 * A parsed condition. All texts are binary strings: the bytes of the condition's UTF-8 form, one character each, so that
 * they compare with field values directly and offsets count bytes.
 */
import type { ListModifier, Operator } from './operators.ts';

/** A place in the source text. `offset` counts bytes from 0; `line` and `column` (in bytes) count from 1. */
export interface SourcePosition {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

export const SINGLE_TRANSFORMERS = ['tolower', 'toupper', 'b64', 'basename', 'len'] as const;
export const MULTI_TRANSFORMERS = ['join', 'concat', 'getopt'] as const;
/** `val` stands only on the right of a comparison, around a field. */
export const TRANSFORMERS = ['val', ...SINGLE_TRANSFORMERS, ...MULTI_TRANSFORMERS] as const;

export type SingleTransformer = (typeof SINGLE_TRANSFORMERS)[number];
export type MultiTransformer = (typeof MULTI_TRANSFORMERS)[number];
export type Transformer = (typeof TRANSFORMERS)[number];

/** An expression that is true or false. */
export type FilterAst = AndNode | OrNode | NotNode | IdentifierNode | ExistsNode | CompareNode;

/** At least two children. */
export interface AndNode {
  readonly kind: 'and';
  readonly position: SourcePosition;
  readonly children: readonly FilterAst[];
}

/** At least two children. */
export interface OrNode {
  readonly kind: 'or';
  readonly position: SourcePosition;
  readonly children: readonly FilterAst[];
}

export interface NotNode {
  readonly kind: 'not';
  readonly position: SourcePosition;
  readonly child: FilterAst;
}

/** A bare word: the name of a macro, for rule engines to replace. It does not compile. */
export interface IdentifierNode {
  readonly kind: 'identifier';
  readonly position: SourcePosition;
  readonly name: string;
}

/** `operand exists` */
export interface ExistsNode {
  readonly kind: 'exists';
  readonly position: SourcePosition;
  readonly left: OperandNode;
}

/** `operand operator [modifier] value` */
export interface CompareNode {
  readonly kind: 'compare';
  readonly position: SourcePosition;
  readonly left: OperandNode;
  readonly operator: Exclude<Operator, 'exists'>;
  readonly operatorPosition: SourcePosition;
  /** Set only together with a list on the right. */
  readonly modifier: ListModifier | undefined;
  readonly right: ValueNode | ListNode | OperandNode;
}

/** What a value is read from. */
export type OperandNode = FieldNode | TransformerNode;

export interface FieldNode {
  readonly kind: 'field';
  readonly position: SourcePosition;
  readonly name: string;
  /** Between the brackets, unquoted; undefined when there are none. */
  readonly argument: string | undefined;
}

export interface TransformerNode {
  readonly kind: 'transformer';
  readonly position: SourcePosition;
  readonly transformer: Transformer;
  readonly arguments: readonly ArgumentNode[];
  /** `getopt(...)[x]`: the option wanted. */
  readonly selector: string | undefined;
}

export type ArgumentNode = OperandNode | ValueNode | GroupNode;

/** A parenthesised list of operands and values inside a transformer. */
export interface GroupNode {
  readonly kind: 'group';
  readonly position: SourcePosition;
  readonly items: readonly (OperandNode | ValueNode)[];
}

export interface ValueNode {
  readonly kind: 'value';
  readonly position: SourcePosition;
  readonly text: string;
  /** Written in quotes: then it is never the name of a list. */
  readonly isQuoted: boolean;
}

/** The values right of `in`, `intersects`, `pmatch` or a modifier. */
export interface ListNode {
  readonly kind: 'list';
  readonly position: SourcePosition;
  readonly values: readonly ValueNode[];
}

/** Every kind of node. */
export type AnyNode = FilterAst | OperandNode | GroupNode | ValueNode | ListNode;
