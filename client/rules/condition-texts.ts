/**
 * All condition texts of a rule set, back to back: the positions in their trees count from the start of the first, so that
 * the place in the files is known for every node, whichever macro it came from.
 */
import type { FilterAst, SourcePosition } from '../../server/filter/ast.ts';
import { fromBinaryText, toBinaryText } from '../../server/filter/binary-text.ts';
import { FilterError } from '../../server/filter/filter-error.ts';
import { parseFilterText } from '../../server/filter/parser.ts';
import { RuleError } from './diagnostics.ts';
import type { MappedText } from './mapped-text.ts';
import type { PlaceCode } from './rule-files.ts';

interface KnownText {
  readonly mapped: MappedText;
  readonly start: number;
}

export class ConditionTexts {
  private readonly texts: KnownText[];
  private end: number;

  constructor() {
    this.texts = [];
    this.end = 0;
  }

  /** Parses a condition. `what` names it in messages. Throws RuleError. */
  parse(mapped: MappedText, what: string): FilterAst {
    const start = this.end;
    this.texts.push({ mapped, start });
    // One more than its bytes: a fault may be at the end.
    this.end += Buffer.byteLength(mapped.text) + 1;
    try {
      return shifted(parseFilterText(mapped.text), start);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      throw this.ruleError(error, what, start);
    }
  }

  /** A fault in a tree, or (`start` given) in the text that starts there, as an error with its place. */
  ruleError(error: FilterError, what: string, start = 0): RuleError {
    const code = this.codeAt(error.position.offset + start);
    return new RuleError(`${what}: ${error.reason}`, code, error.suggestions);
  }

  /** Where the byte at `offset` came from. */
  codeAt(offset: number): PlaceCode {
    const known = this.texts.findLast(({ start }) => start <= offset);
    if (known === undefined) return 0;
    const { mapped, start } = known;
    const before = fromBinaryText(toBinaryText(mapped.text).slice(0, offset - start));
    return mapped.codeAt(before.length);
  }
}

/** A copy of the tree with all positions moved by `distance` bytes. */
function shifted<Value>(value: Value, distance: number): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => shifted(item, distance)) as Value;
  const entries = Object.entries(value).map(([key, member]) => [
    key,
    key === 'position' || key === 'operatorPosition' ? moved(member, distance) : shifted(member, distance),
  ]);
  return Object.fromEntries(entries) as Value;
}

function moved(position: SourcePosition, distance: number): SourcePosition {
  return { ...position, offset: position.offset + distance };
}
