/** Reads the tokens of a condition one by one, where the grammar asks for them. */
import type { SourcePosition } from './ast.ts';
import { fromBinaryText } from './binary-text.ts';
import { FilterError, type FilterErrorHints } from './filter-error.ts';
import type { OperatorRow } from './operators.ts';

// Sticky: they match at `lastIndex` or not at all. Each walks its token once.
const BLANKS = /[ \t\b\r\n]+/y;
const NOT_WORD = /not[ \t\n\v\f\r]+/y;
const IDENTIFIER = /[a-zA-Z][a-zA-Z0-9_]*/y;
const FIELD_NAME = /[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+/y;
const BARE_ARGUMENT = /[^\][ \b\t\n\v\f\r"']+/y;
const NUMBER = /0[xX][0-9a-fA-F]+|[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?/y;
const BARE_TEXT = /[^()"'\b\t\n\v\f\r =,]+/y;
const LINE_BREAK = /[\r\n]/g;

const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  // Rules with a stray `\ ` exist: it stands for the backslash alone.
  ' ': '\\',
  '\\': '\\',
  '/': '/',
};

export class Scanner {
  /** The condition as a binary string. */
  readonly text: string;
  /** Offset of the next token. */
  at: number;
  /** Offset of the first character of each line; made when the first position is asked for. */
  private lineStarts: readonly number[] | undefined;

  constructor(text: string) {
    this.text = text;
    this.at = 0;
    this.lineStarts = undefined;
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  position(offset: number = this.at): SourcePosition {
    this.lineStarts ??= findLineStarts(this.text);
    const starts = this.lineStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { offset, line: low + 1, column: offset - (starts[low] as number) + 1 };
  }

  /** A FilterError at `offset`, saying what stands there when something was expected. */
  error(reason: string, hints: FilterErrorHints = {}, offset: number = this.at): FilterError {
    return new FilterError(reason, this.position(offset), hints);
  }

  /** What stands at the cursor, for messages: `'word'` or `the end`. */
  found(): string {
    if (this.isAtEnd) return 'the end of the condition';
    const word = this.peek(BARE_TEXT) ?? (this.text[this.at] as string);
    return `'${fromBinaryText(word.length > 32 ? `${word.slice(0, 32)}...` : word)}'`;
  }

  blank(): boolean {
    return this.take(BLANKS) !== undefined;
  }

  /** Takes exactly this text when it comes next. */
  literal(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  /** `not` with the blanks after it. */
  notWord(): boolean {
    return this.take(NOT_WORD) !== undefined;
  }

  identifier(): string | undefined {
    return this.take(IDENTIFIER);
  }

  /** An identifier without taking it. */
  peekIdentifier(): string | undefined {
    return this.peek(IDENTIFIER);
  }

  fieldName(): string | undefined {
    return this.take(FIELD_NAME);
  }

  bareArgument(): string | undefined {
    return this.take(BARE_ARGUMENT);
  }

  number(): string | undefined {
    return this.take(NUMBER);
  }

  bareText(): string | undefined {
    return this.take(BARE_TEXT);
  }

  /** The operator that comes next; one that is a word must have a blank behind it, which is taken too. */
  operator(rows: readonly OperatorRow[]): OperatorRow | undefined {
    for (const row of rows) {
      for (const name of [...row.aliases, row.name]) {
        if (!this.text.startsWith(name, this.at)) continue;
        const start = this.at;
        this.at += name.length;
        if (!row.needsBlank || this.blank()) return row;
        this.at = start;
      }
    }
    return undefined;
  }

  /** A quoted text, unescaped; undefined when no quote comes next. */
  quotedText(): string | undefined {
    const { text, at: start } = this;
    const quote = text[start];
    if (quote !== '"' && quote !== "'") return undefined;
    let value = '';
    let from = start + 1;
    for (let i = from; i < text.length; i++) {
      const char = text[i];
      if (char === quote) {
        this.at = i + 1;
        return value + text.slice(from, i);
      }
      if (char !== '\\') continue;
      value += text.slice(from, i) + this.unescape(quote, i);
      i++;
      from = i + 1;
    }
    throw this.error(`the text that begins with ${quote} has no end`, { expected: [quote] }, start);
  }

  private unescape(quote: string, offset: number): string {
    const char = this.text[offset + 1];
    if (char === undefined) {
      throw this.error('the condition ends within a quoted text', { expected: [quote] }, offset);
    }
    if (char === quote) return char;
    const value = Object.hasOwn(ESCAPES, char) ? ESCAPES[char] : undefined;
    if (value !== undefined) return value;
    throw this.error(
      `unknown escape \\${fromBinaryText(char)} in a text quoted with ${quote}`,
      { expected: ['\\\\', `\\${quote}`, '\\b', '\\f', '\\n', '\\r', '\\t', '\\/'] },
      offset,
    );
  }

  private take(pattern: RegExp): string | undefined {
    const token = this.peek(pattern);
    if (token !== undefined) this.at += token.length;
    return token;
  }

  private peek(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    return pattern.test(this.text) ? this.text.slice(this.at, pattern.lastIndex) : undefined;
  }
}

/** As in the reference, `\r` and `\n` each begin a line. */
function findLineStarts(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(LINE_BREAK)) starts.push(match.index + 1);
  return starts;
}
