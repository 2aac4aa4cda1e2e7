/** Writes a condition as text, in one of the ways the language allows: quotes, blanks and parentheses vary. */
import type { Check, Condition, Operand } from './filter-evaluator.ts';

const BARE = /^[^()"'\s=,\\\b]+$/;
const WORDS: ReadonlySet<string> = new Set(['anyof', 'allof', 'oneof']);
const ESCAPES: Readonly<Record<string, string>> = {
  '\b': 'b',
  '\f': 'f',
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
  '\\': '\\',
};

export function writeCondition(condition: Condition, random: () => number): string {
  return new ConditionWriter(random).write(condition);
}

class ConditionWriter {
  private readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  write(condition: Condition): string {
    switch (condition.kind) {
      case 'check':
        return this.check(condition);
      case 'not': {
        const { child } = condition;
        const text = this.write(child);
        const needsParentheses = child.kind === 'and' || child.kind === 'or';
        return needsParentheses || this.chance(0.3)
          ? this.any([`not (${text})`, `not(${text})`])
          : `not ${text}`;
      }
      default: {
        const [first, ...others] = condition.children;
        let text = this.child(condition.kind, first as Condition).text;
        for (const other of others) {
          const { text: part, isWrapped } = this.child(condition.kind, other);
          // As in the reference, `a or(b) and c` is refused: what may follow `or(b)` is `or` alone.
          const gap = isWrapped ? this.any(['', ' ']) : this.any([' ', ' ', '\n  ']);
          text += `${this.any([' ', ' ', '\n'])}${condition.kind}${gap}${part}`;
        }
        return text;
      }
    }
  }

  /** `and` binds closer than `or`. */
  private child(parent: 'and' | 'or', child: Condition): { text: string; isWrapped: boolean } {
    const text = this.write(child);
    const isLooser = child.kind === 'or' || (child.kind === 'and' && parent === 'and');
    if (!isLooser && !this.chance(0.15)) return { text, isWrapped: false };
    return { text: this.any([`(${text})`, `( ${text} )`]), isWrapped: true };
  }

  private check(check: Check): string {
    const { left, operator, modifier, literals, right } = check;
    const operand = this.operand(left);
    if (operator === 'exists') return `${operand} exists`;
    const isWord = /[a-z]/.test(operator);
    const blank = isWord ? ' ' : this.any([' ', ' ', '']);
    const start = `${operand}${blank}${operator}`;
    if (right !== undefined) return `${start}${blank}val(${this.operand(right)})`;
    if (operator === 'in' || operator === 'intersects' || operator === 'pmatch') {
      return `${start}${this.any([' ', ''])}${this.list(literals)}`;
    }
    if (modifier !== undefined) return `${start} ${modifier} ${this.list(literals)}`;
    const literal = literals[0] as string;
    // What comes in order is a number, and numbers are not quoted.
    return `${start}${blank}${/[<>]/.test(operator) ? literal : this.literal(literal)}`;
  }

  private list(literals: readonly string[]): string {
    return `(${literals.map((literal) => this.literal(literal)).join(this.any([', ', ',', ' , ']))})`;
  }

  private operand(operand: Operand): string {
    const name = operand.field.name.replace(/\[([A-Za-z]+)\]$/, (all, key) => this.any([all, `["${key}"]`]));
    return operand.transformers.reduce((text, transformer) => `${transformer}(${text})`, name);
  }

  private literal(text: string): string {
    if (BARE.test(text) && !WORDS.has(text) && this.chance(0.6)) return text;
    const quote = this.any(['"', "'"]);
    let escaped = '';
    for (const char of text) {
      const letter = char === quote ? quote : ESCAPES[char];
      escaped += letter === undefined ? char : `\\${letter}`;
    }
    return `${quote}${escaped}${quote}`;
  }

  private any<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.random() * items.length)] as Item;
  }

  private chance(share: number): boolean {
    return this.random() < share;
  }
}
