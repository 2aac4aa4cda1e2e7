/**
 * Random conditions over golden fields. The values of one condition come mostly from one row, so that most conditions hold
 * somewhere; each condition begins with the next operator of the next field, so that every field meets its operators.
 */
import {
  type Cells,
  type Check,
  type Condition,
  kindOf,
  type Operand,
  parseCell,
  SERVICES,
} from './filter-evaluator.ts';
import type { FilterField, ValueKind } from './filter-fields.ts';

const DEPTH_MAX = 3;
/** Longer values are cut, where the operator allows that, or not compared. */
const LITERAL_CHARACTERS_MAX = 300;
const ORDERS = ['<', '<=', '>', '>='];
const SETS = ['in', 'intersects'];
const TEXTS = ['contains', 'icontains', 'startswith', 'endswith', 'glob', 'iglob', 'regex'];

const OPERATORS: Readonly<Record<ValueKind, readonly string[]>> = {
  text: ['exists', '=', '==', '!=', ...TEXTS, ...SETS, 'pmatch', ...ORDERS],
  integer: ['exists', '=', '!=', ...ORDERS, ...SETS],
  double: ['exists', '=', '!=', ...ORDERS, ...SETS],
  port: ['exists', '=', '!=', ...ORDERS, ...SETS],
  bool: ['exists', '=', '!=', 'in'],
  ip: ['exists', '=', '!=', ...SETS],
  network: ['exists', '=', '!=', 'in'],
};
const MODIFIERS = ['anyof', 'allof', 'oneof'] as const;
const MODIFIABLE: ReadonlySet<string> = new Set(['=', '!=', ...TEXTS]);
const FIELD_TO_FIELD: ReadonlySet<string> = new Set([
  '=',
  '!=',
  'contains',
  'icontains',
  'startswith',
  'endswith',
  ...ORDERS,
]);

/** A small generator of pseudo-random numbers with a 32-bit state (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class ConditionGenerator {
  private readonly random: () => number;
  private readonly fields: readonly FilterField[];
  private readonly rows: readonly Cells[];
  private row: Cells;
  private turn: number;

  constructor(random: () => number, fields: readonly FilterField[], rows: readonly Cells[]) {
    this.random = random;
    this.fields = fields;
    this.rows = rows;
    this.row = new Map();
    this.turn = 0;
  }

  next(): Condition {
    const { fields } = this;
    const field = fields[this.turn % fields.length] as FilterField;
    const having = this.rows.filter((row) => field.keys.some((key) => row.get(key) !== undefined));
    this.row = this.pick(having.length > 0 ? having : this.rows);
    const operators = operatorsOf({ field, transformers: [] });
    const round = Math.floor(this.turn / fields.length);
    // Neighbours in the list are often of one type: they do not all begin with the same operator.
    const operator = operators[(round * 5 + this.turn) % operators.length] as string;
    this.turn++;
    const first = this.check({ field, transformers: [] }, operator);
    if (this.chance(0.4)) return first;
    const others = Array.from({ length: 1 + this.below(3) }, () => this.condition(1));
    return { kind: this.chance(0.5) ? 'and' : 'or', children: [first, ...others] };
  }

  private condition(depth: number): Condition {
    if (this.chance(0.15)) return { kind: 'not', child: this.condition(depth + 1) };
    if (depth >= DEPTH_MAX || this.chance(0.6)) return this.randomCheck();
    const children = Array.from({ length: 2 + this.below(2) }, () => this.condition(depth + 1));
    return { kind: this.chance(0.5) ? 'and' : 'or', children };
  }

  private randomCheck(): Check {
    const present = this.fields.filter((field) => field.keys.some((key) => this.row.get(key) !== undefined));
    const operand = this.operand(this.pick(this.chance(0.9) ? present : this.fields));
    const operators = operatorsOf(operand).filter((name) => name !== 'exists' || this.chance(0.1));
    return this.check(operand, this.pick(operators));
  }

  private operand(field: FilterField): Operand {
    if (!field.isPlain || field.kind !== 'text' || !this.chance(0.2)) return { field, transformers: [] };
    const single = (['tolower', 'toupper', 'basename', 'len'] as const)[this.below(4)] ?? 'len';
    if (single === 'len' || !this.chance(0.2)) return { field, transformers: [single] };
    return { field, transformers: [single, this.pick(['len', 'tolower', 'basename'] as const)] };
  }

  private check(left: Operand, operator: string): Check {
    const known = new Map<string, boolean>();
    const base = { kind: 'check', left, operator, known, modifier: undefined, right: undefined } as const;
    if (operator === 'exists') return { ...base, literals: [] };
    const right = this.rightOperand(left, operator);
    if (right !== undefined) return { ...base, right, literals: [] };
    if (SETS.includes(operator) || operator === 'pmatch') {
      return { ...base, literals: this.literals(left, operator, 1 + this.below(4)) };
    }
    if (MODIFIABLE.has(operator) && this.chance(0.1)) {
      const literals = this.literals(left, operator, 1 + this.below(3));
      return { ...base, modifier: this.pick(MODIFIERS), literals };
    }
    return { ...base, literals: this.literals(left, operator, 1) };
  }

  private rightOperand(left: Operand, operator: string): Operand | undefined {
    if (!left.field.isPlain || left.field.isList || left.transformers.length > 0) return undefined;
    if (left.field.kind === 'bool' && ORDERS.includes(operator)) return undefined;
    if (!FIELD_TO_FIELD.has(operator) || !this.chance(0.12)) return undefined;
    const { type } = left.field;
    const same = this.fields.filter((field) => field.isPlain && !field.isList && field.type === type);
    return { field: this.pick(same), transformers: [] };
  }

  private literals(left: Operand, operator: string, count: number): string[] {
    return Array.from({ length: count }, (_, i) => this.literal(left, operator, i > 0 || this.chance(0.15)));
  }

  private literal(left: Operand, operator: string, isElsewhere: boolean): string {
    const value = this.value(left, isElsewhere ? this.pick(this.rows) : this.row);
    switch (kindOf(left)) {
      case 'integer':
        return this.integer(value ?? '0');
      case 'port':
        return this.port(value ?? '0', operator);
      case 'double':
        return value ?? '0.5';
      case 'bool':
        return value ?? 'true';
      case 'ip':
        return value ?? '127.0.0.1';
      case 'network': {
        const address = value ?? '10.0.0.0';
        return `${address}/${this.below((address.includes(':') ? 128 : 32) + 1)}`;
      }
      case 'text':
        if (left.field.isService && this.chance(0.3)) return this.pick(Object.keys(SERVICES));
        return this.text(value ?? '/usr/bin/bash', operator);
    }
  }

  /** A value of the operand in a row, as text. */
  private value(operand: Operand, row: Cells): string | undefined {
    const { field, transformers } = operand;
    const cells = field.keys.map((key) => row.get(key)).filter((cell) => cell !== undefined);
    if (cells.length === 0) return undefined;
    const cell = this.pick(cells) as string;
    if (field.isList) {
      const items = JSON.parse(cell) as string[];
      return transformers.includes('len') ? `${items.length}` : this.pick(items);
    }
    const text = field.kind === 'double' ? cell : `${parseCell(field, cell)}`;
    let value = text;
    for (const transformer of transformers) {
      if (transformer === 'len') value = `${Buffer.byteLength(value)}`;
      if (transformer === 'tolower') value = value.toLowerCase();
      if (transformer === 'toupper') value = value.toUpperCase();
      if (transformer === 'basename') value = value.slice(value.lastIndexOf('/') + 1);
    }
    return value;
  }

  private integer(value: string): string {
    let number = BigInt(value);
    if (number > 0n && this.chance(0.2)) number += this.chance(0.5) ? 1n : -1n;
    return number >= 0n && this.chance(0.15) ? `0x${number.toString(16)}` : `${number}`;
  }

  private port(value: string, operator: string): string {
    const name = Object.keys(SERVICES).find((service) => SERVICES[service] === value);
    return name !== undefined && !ORDERS.includes(operator) && this.chance(0.3) ? name : value;
  }

  private text(value: string, operator: string): string {
    if (ORDERS.includes(operator)) return `${this.below(1000)}`;
    const chars = [...value.slice(0, LITERAL_CHARACTERS_MAX)];
    const from = this.below(Math.max(1, chars.length));
    const part = chars.slice(from, from + 1 + this.below(12)).join('');
    switch (operator) {
      case 'contains':
        return part;
      case 'icontains':
        return this.chance(0.5) ? part.toUpperCase() : part.toLowerCase();
      case 'startswith':
        return chars.slice(0, 1 + this.below(chars.length)).join('');
      case 'endswith':
        return [...value].slice(-1 - this.below(20)).join('');
      case 'glob':
      case 'iglob':
        return this.glob([...value]);
      case 'regex':
        return this.regex([...value]);
      case 'pmatch':
        return this.path(value);
      default:
        return value.length > LITERAL_CHARACTERS_MAX || this.chance(0.05) ? `${part}x` : value;
    }
  }

  /** The beginning and the end of the value with a star between, single characters as `?` or a set. */
  private glob(chars: readonly string[]): string {
    const head = chars.slice(0, this.below(20)).map((char) => this.globChar(char));
    const tail = chars
      .slice(Math.max(head.length, chars.length - this.below(20)))
      .map((char) => this.globChar(char));
    return `${head.join('')}*${tail.join('')}`;
  }

  private globChar(char: string): string {
    if (char.charCodeAt(0) < 128 && this.chance(0.1)) return '?';
    if (/[a-z0-9]/.test(char) && this.chance(0.1)) return `[${char}_q]`;
    return /[*?[\]\\]/.test(char) ? `\\${char}` : char;
  }

  private regex(chars: readonly string[]): string {
    const head = chars.slice(0, this.below(20)).map((char) => this.regexChar(char));
    const tail = chars
      .slice(Math.max(head.length, chars.length - this.below(10)))
      .map((char) => this.regexChar(char));
    const middle = this.pick(['.*', '[a-z/]+.*', '(?:.*)', '.*[^x]?']);
    return `${head.join('')}${middle}${tail.join('')}`;
  }

  private regexChar(char: string): string {
    if (/[a-z]/.test(char) && this.chance(0.1)) return '[a-z]';
    if (/[0-9]/.test(char) && this.chance(0.2)) return '[0-9]+';
    return /[.*+?()[\]{}|^$\\/]/.test(char) ? `\\${char}` : char;
  }

  private path(value: string): string {
    if (value.length > LITERAL_CHARACTERS_MAX) return '/usr';
    // Patterns within values are protected, as a path that holds them is not meant as one.
    const parts = value.split('/').map((part) => part.replace(/[*?[\]\\]/g, '\\$&'));
    const kept = parts.slice(0, 1 + this.below(parts.length));
    if (this.chance(0.2))
      kept[kept.length - 1] = `${(kept.at(-1) as string).replace(/\\.*/s, '').slice(0, 2)}*`;
    return kept.join('/') || '/';
  }

  private pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  private chance(share: number): boolean {
    return this.random() < share;
  }

  private below(limit: number): number {
    return Math.floor(this.random() * limit);
  }
}

function operatorsOf(operand: Operand): readonly string[] {
  if (operand.field.isList && !operand.transformers.includes('len')) return ['exists', ...SETS];
  return OPERATORS[kindOf(operand)];
}
