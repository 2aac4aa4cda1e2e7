/** One mapping of a rule file, read as rules need it: scalars are text, absent and empty are told apart. */
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type Node, type Scalar } from 'yaml';
import { RuleError } from './diagnostics.ts';
import type { MappedText } from './mapped-text.ts';
import type { PlaceCode, RuleFile } from './rule-files.ts';
import { scalarText, startOf } from './scalar-text.ts';

const NULL_TEXTS: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL']);
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['y', 'yes', 'true', 'on'].map((text) => [text, true] as const),
  ...['n', 'no', 'false', 'off'].map((text) => [text, false] as const),
]);

/** A document of a file, which aliases are resolved in. */
export interface NodeContext {
  readonly file: RuleFile;
  readonly document: Document.Parsed;
}

export interface ItemEntry {
  readonly key: string;
  readonly code: PlaceCode;
}

export class ItemNode {
  readonly code: PlaceCode;
  readonly context: NodeContext;
  private readonly values: ReadonlyMap<string, Node | null>;
  /** Keys in the order of the file, repeated ones included. */
  readonly entries: readonly ItemEntry[];

  /** Throws RuleError with `message` when the node is no mapping. */
  constructor(node: unknown, context: NodeContext, message: string) {
    const resolved = resolveNode(node, context);
    this.context = context;
    this.code = codeOf(resolved, context);
    if (!isMap(resolved)) throw new RuleError(message, this.code);
    const values = new Map<string, Node | null>();
    this.entries = resolved.items.filter(isPair).map((pair) => {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      // Of a key that comes twice the first counts.
      if (!values.has(key)) values.set(key, resolveNode(pair.value, context) as Node | null);
      return { key, code: codeOf(pair.key, context) };
    });
    this.values = values;
  }

  has(key: string): boolean {
    return this.values.has(key);
  }

  /** The place of a key's value, or of the item when there is none. */
  codeOf(key: string): PlaceCode {
    const node = this.values.get(key);
    return node === undefined || node === null ? this.code : codeOf(node, this.context);
  }

  isNull(key: string): boolean {
    return isNullNode(this.values.get(key));
  }

  node(key: string): Node | null | undefined {
    return this.values.get(key);
  }

  /** Non-empty text. Throws RuleError. */
  text(key: string): MappedText {
    if (!this.has(key)) throw new RuleError(`the item has no '${key}'`, this.code);
    if (this.isNull(key)) throw new RuleError(`'${key}' is empty`, this.keyCode(key));
    const node = this.values.get(key);
    if (!isScalar(node)) throw new RuleError(`'${key}' must be text`, this.codeOf(key));
    const text = scalarText(node, this.context.file);
    if (text.text === '') throw new RuleError(`'${key}' must not be empty`, this.codeOf(key));
    return text;
  }

  boolean(key: string): boolean {
    const { text } = this.text(key);
    const value = BOOLEANS.get(text.toLowerCase());
    if (value === undefined)
      throw new RuleError(`'${key}' must be true or false, not '${text}'`, this.codeOf(key));
    return value;
  }

  /** Members of a sequence. Throws RuleError. */
  sequence(key: string): readonly Node[] {
    if (!this.has(key)) throw new RuleError(`the item has no '${key}'`, this.code);
    const node = this.values.get(key);
    if (!isSeq(node)) throw new RuleError(`'${key}' must be a sequence`, this.keyCode(key));
    return node.items.map((item) => resolveNode(item, this.context) as Node);
  }

  /** Members of a sequence of texts. */
  texts(key: string): MappedText[] {
    return this.sequence(key).map((node) => {
      if (!isScalar(node))
        throw new RuleError(`the members of '${key}' must be texts`, codeOf(node, this.context));
      return scalarText(node as Scalar, this.context.file);
    });
  }

  private keyCode(key: string): PlaceCode {
    return this.entries.find((entry) => entry.key === key)?.code ?? this.code;
  }
}

export function resolveNode(node: unknown, { document }: NodeContext): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

export function codeOf(node: unknown, { file }: NodeContext): PlaceCode {
  return startOf((node as Node | null | undefined)?.range, file);
}

export function isNullNode(node: unknown): boolean {
  if (node === null || node === undefined) return true;
  return isScalar(node) && node.type === 'PLAIN' && NULL_TEXTS.has(String(node.value ?? ''));
}
