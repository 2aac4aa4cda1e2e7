/**
 * From the text of a condition to its tree. A recursive descent over:
 *
 *     or      = and ('or' (blank and | '(' or ')'))*
 *     and     = not ('and' (blank not | '(' or ')'))*
 *     not     = ('not' blank)* ('not(' or ')' | check)
 *     check   = '(' or ')' | operand condition | identifier
 *     operand = field | transformer '(' argument (',' argument)* ')' ('[' option ']')?
 *     field   = name ('[' (quoted | bare) ']')?
 *     condition = 'exists' | numberOp number | textOp text | textOp modifier list | listOp list
 *                 -- each value may also be val(field) or a transformer
 *     list    = '(' (text (',' text)*)? ')' | identifier
 *
 * Words are recognised by their beginning, as the reference does (`a.b existsand c` is two checks). Time is linear in
 * the text: no token is looked at more often than there are alternatives.
 */
import { nearestNames } from '../event/nearest-names.ts';
import {
  type ArgumentNode,
  type CompareNode,
  type FieldNode,
  type FilterAst,
  type GroupNode,
  type ListNode,
  MULTI_TRANSFORMERS,
  type OperandNode,
  SINGLE_TRANSFORMERS,
  type SourcePosition,
  TRANSFORMERS,
  type Transformer,
  type TransformerNode,
  type ValueNode,
} from './ast.ts';
import { fromBinaryText, toBinaryText } from './binary-text.ts';
import {
  LIST_MODIFIERS,
  type ListModifier,
  OPERATOR_NAMES,
  OPERATORS,
  type OperatorRow,
} from './operators.ts';
import { Scanner } from './scanner.ts';

export interface FilterLimits {
  /** Bytes of a condition. */
  readonly textBytesMax: number;
  /** Parentheses, transformers and lists open at once. */
  readonly nestingMax: number;
}

export const DEFAULT_FILTER_LIMITS: FilterLimits = { textBytesMax: 1024 * 1024, nestingMax: 100 };

const UNARY_OPERATORS = OPERATORS.filter((row) => row.form === 'unary');
const BINARY_OPERATORS = OPERATORS.filter((row) => row.form !== 'unary');
/** Words that are no names of macros: a macro called so could be used in few places and read nowhere. */
const RESERVED: ReadonlySet<string> = new Set(['and', 'or', 'not']);
const LEFT_TRANSFORMERS: readonly Transformer[] = [...SINGLE_TRANSFORMERS, ...MULTI_TRANSFORMERS];

/** Parses a condition. Throws FilterError. */
export function parseFilterText(condition: string, limits: FilterLimits = DEFAULT_FILTER_LIMITS): FilterAst {
  // A first look at the length spares the conversion of what is too long anyway.
  const isShort = condition.length <= limits.textBytesMax;
  const scanner = new Scanner(isShort ? toBinaryText(condition) : '');
  if (!isShort || scanner.text.length > limits.textBytesMax) {
    throw scanner.error(`the condition is longer than ${limits.textBytesMax} bytes`, {}, 0);
  }
  const nul = scanner.text.indexOf('\0');
  if (nul >= 0) throw scanner.error('the condition holds a NUL character', {}, nul);
  return new FilterParser(scanner, limits).parse();
}

class FilterParser {
  private readonly scanner: Scanner;
  private readonly limits: FilterLimits;
  private nesting: number;

  constructor(scanner: Scanner, limits: FilterLimits) {
    this.scanner = scanner;
    this.limits = limits;
    this.nesting = 0;
  }

  parse(): FilterAst {
    const { scanner } = this;
    scanner.blank();
    if (scanner.isAtEnd) throw scanner.error('the condition is empty', { expected: ['a check'] });
    const ast = this.or();
    if (!scanner.isAtEnd) {
      throw scanner.error(`unexpected ${scanner.found()}`, { expected: ['and', 'or', 'the end'] });
    }
    return ast;
  }

  private or(): FilterAst {
    return this.chain('or', () => this.and());
  }

  private and(): FilterAst {
    return this.chain('and', () => this.not());
  }

  /** One or more children joined by a word, with the blanks around them. */
  private chain(word: 'and' | 'or', next: () => FilterAst): FilterAst {
    const { scanner } = this;
    scanner.blank();
    const position = scanner.position();
    const children = [next()];
    scanner.blank();
    while (scanner.literal(word)) {
      if (scanner.blank()) children.push(next());
      else if (scanner.literal('(')) children.push(this.embedded());
      else throw scanner.error(`expected a blank or '(' after '${word}'`, { expected: ['a blank', '('] });
      scanner.blank();
    }
    return children.length === 1 ? (children[0] as FilterAst) : { kind: word, position, children };
  }

  private not(): FilterAst {
    const { scanner } = this;
    scanner.blank();
    const position = scanner.position();
    let isNegated = false;
    while (scanner.notWord()) isNegated = !isNegated;
    let child: FilterAst;
    if (scanner.literal('not(')) {
      isNegated = !isNegated;
      child = this.embedded();
    } else {
      child = this.check();
    }
    return isNegated ? { kind: 'not', position, child } : child;
  }

  /** What follows an opening parenthesis. */
  private embedded(): FilterAst {
    this.enter();
    const ast = this.or();
    this.close('the parenthesis');
    return ast;
  }

  private check(): FilterAst {
    const { scanner } = this;
    scanner.blank();
    const position = scanner.position();
    if (scanner.literal('(')) return this.embedded();
    const operand = this.operand(LEFT_TRANSFORMERS);
    if (operand !== undefined) return this.condition(operand, position);
    const word = scanner.peekIdentifier();
    if (word !== undefined && !RESERVED.has(word)) {
      scanner.identifier();
      return { kind: 'identifier', position, name: word };
    }
    throw scanner.error(`expected a check, found ${scanner.found()}`, {
      expected: ['(', 'not', 'a field', 'a transformer', 'the name of a macro'],
    });
  }

  /** A field or a call of one of the transformers; undefined when neither comes next. */
  private operand(transformers: readonly Transformer[]): OperandNode | undefined {
    const { scanner } = this;
    const position = scanner.position();
    const name = scanner.fieldName();
    if (name !== undefined) return this.field(name, position);
    return this.transformerCall(transformers);
  }

  /** What follows the name of a field. */
  private field(name: string, position: SourcePosition): FieldNode {
    return { kind: 'field', position, name, argument: this.bracketed('the argument of a field') };
  }

  private bracketed(what: string): string | undefined {
    const { scanner } = this;
    if (!scanner.literal('[')) return undefined;
    const argument = scanner.quotedText() ?? scanner.bareArgument();
    if (argument === undefined) {
      throw scanner.error(`expected ${what}, found ${scanner.found()}`, {
        expected: ['a quoted text', 'a word'],
      });
    }
    if (!scanner.literal(']')) throw scanner.error(`expected ']' after ${what}`, { expected: [']'] });
    return argument;
  }

  private transformerCall(allowed: readonly Transformer[]): TransformerNode | undefined {
    const { scanner } = this;
    const position = scanner.position();
    // No blank may stand between the name and its parenthesis.
    const transformer = allowed.find((name) => scanner.literal(`${name}(`));
    if (transformer === undefined) return undefined;
    this.enter();
    const args = transformer === 'val' ? [this.valArgument()] : this.callArguments();
    this.close(`${transformer}(`);
    const selector = transformer === 'getopt' ? this.bracketed('the option wanted') : undefined;
    return { kind: 'transformer', position, transformer, arguments: args, selector };
  }

  private valArgument(): FieldNode {
    const { scanner } = this;
    scanner.blank();
    const position = scanner.position();
    const name = scanner.fieldName();
    if (name === undefined) {
      throw scanner.error(`expected a field within val(), found ${scanner.found()}`, {
        expected: ['a field'],
      });
    }
    return this.field(name, position);
  }

  private callArguments(): ArgumentNode[] {
    const { scanner } = this;
    const args: ArgumentNode[] = [];
    do {
      scanner.blank();
      const position = scanner.position();
      const argument = scanner.literal('(') ? this.group(position) : this.plainArgument();
      args.push(argument);
      scanner.blank();
    } while (scanner.literal(','));
    return args;
  }

  private plainArgument(): OperandNode | ValueNode {
    const { scanner } = this;
    const position = scanner.position();
    const number = scanner.number();
    if (number !== undefined) return { kind: 'value', position, text: number, isQuoted: false };
    const text = scanner.quotedText();
    if (text !== undefined) return { kind: 'value', position, text, isQuoted: true };
    const operand = this.operand(LEFT_TRANSFORMERS);
    if (operand !== undefined) return operand;
    throw scanner.error(`expected an argument, found ${scanner.found()}`, {
      expected: ['a field', 'a transformer', 'a quoted text', 'a number', '('],
    });
  }

  /** What follows the parenthesis of a list inside a transformer. */
  private group(position: SourcePosition): GroupNode {
    const { scanner } = this;
    this.enter();
    const items: (OperandNode | ValueNode)[] = [];
    scanner.blank();
    if (!this.isClosed()) {
      do {
        scanner.blank();
        items.push(this.plainArgument());
        scanner.blank();
      } while (scanner.literal(','));
    }
    this.close('the list');
    return { kind: 'group', position, items };
  }

  private condition(left: OperandNode, position: SourcePosition): FilterAst {
    const { scanner } = this;
    scanner.blank();
    if (scanner.operator(UNARY_OPERATORS) !== undefined) return { kind: 'exists', position, left };
    const operatorPosition = scanner.position();
    const row = scanner.operator(BINARY_OPERATORS);
    if (row === undefined) {
      const word = scanner.peekIdentifier();
      throw scanner.error(`expected an operator, found ${scanner.found()}`, {
        expected: OPERATOR_NAMES,
        suggestions: word === undefined ? [] : nearestNames(word, OPERATOR_NAMES),
      });
    }
    const operator = row.name as CompareNode['operator'];
    scanner.blank();
    const modifier = row.form === 'text' ? this.modifier() : undefined;
    const right = modifier === undefined ? this.right(row) : this.list();
    return { kind: 'compare', position, left, operator, operatorPosition, modifier, right };
  }

  /** `oneof`, `anyof` or `allof`, if a list follows; without one it is an ordinary value. */
  private modifier(): ListModifier | undefined {
    const { scanner } = this;
    const start = scanner.at;
    const word = scanner.identifier();
    const modifier = LIST_MODIFIERS.find((name) => name === word);
    scanner.blank();
    if (modifier !== undefined && scanner.text[scanner.at] === '(') return modifier;
    scanner.at = start;
    return undefined;
  }

  private right(row: OperatorRow): CompareNode['right'] {
    const { scanner } = this;
    const position = scanner.position();
    if (row.form === 'list' && scanner.text[scanner.at] === '(') return this.list();
    const operand = this.transformerCall(TRANSFORMERS);
    if (operand !== undefined) return operand;
    if (row.form === 'number') {
      const number = scanner.number();
      if (number !== undefined) return { kind: 'value', position, text: number, isQuoted: false };
      throw scanner.error(`expected a number, found ${scanner.found()}`, { expected: ['a number', 'val('] });
    }
    if (row.form === 'list') {
      const name = scanner.identifier();
      const value = { kind: 'value', position, text: name ?? '', isQuoted: false } as const;
      if (name !== undefined) return { kind: 'list', position, values: [value] };
      throw scanner.error(`expected a list, found ${scanner.found()}`, { expected: ['(', 'val('] });
    }
    const value = this.value();
    if (value !== undefined) return value;
    throw scanner.error(`expected a value, found ${scanner.found()}`, {
      expected: ['a text', 'a quoted text', 'val('],
    });
  }

  private value(): ValueNode | undefined {
    const { scanner } = this;
    const position = scanner.position();
    const quoted = scanner.quotedText();
    if (quoted !== undefined) return { kind: 'value', position, text: quoted, isQuoted: true };
    const text = scanner.bareText();
    return text === undefined ? undefined : { kind: 'value', position, text, isQuoted: false };
  }

  private list(): ListNode {
    const { scanner } = this;
    const position = scanner.position();
    scanner.literal('(');
    this.enter();
    const values: ValueNode[] = [];
    scanner.blank();
    if (!this.isClosed()) {
      do {
        scanner.blank();
        const value = this.value();
        if (value === undefined) {
          throw scanner.error(`expected a value in the list, found ${scanner.found()}`, {
            expected: ['a text', 'a quoted text', ...(values.length === 0 ? [')'] : [])],
          });
        }
        values.push(value);
        scanner.blank();
      } while (scanner.literal(','));
    }
    this.close('the list');
    return { kind: 'list', position, values };
  }

  private isClosed(): boolean {
    return this.scanner.text[this.scanner.at] === ')';
  }

  private enter(): void {
    this.nesting++;
    if (this.nesting > this.limits.nestingMax) {
      throw this.scanner.error(`the condition nests deeper than ${this.limits.nestingMax} levels`);
    }
  }

  private close(what: string): void {
    const { scanner } = this;
    scanner.blank();
    this.nesting--;
    if (scanner.literal(')')) return;
    throw scanner.error(`expected ')' that closes ${fromBinaryText(what)}, found ${scanner.found()}`, {
      expected: [')'],
    });
  }
}
