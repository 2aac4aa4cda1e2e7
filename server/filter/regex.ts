/**
 * Regular expressions that match a whole text in time linear in it. Syntax is RE2's; `^` and `$` also match at line
 * breaks, as the reference asks for POSIX syntax, on top of which classes such as \d and \w are accepted.
 * Texts and patterns are UTF-8: a text that is not valid UTF-8 matches nothing.
 */
import { RE2JS } from 're2js';
import { decodeBinaryText, fromBinaryText } from './binary-text.ts';
import { LiteralError } from './filter-error.ts';

/** Characters of a pattern. */
const PATTERN_MAX = 4096;
/** Matchable elements after repetitions such as {100} are written out. */
const EXPANDED_MAX = 5000;

const REPEAT = /\{(\d{1,9})(?:,(\d{0,9}))?\}/y;

/** Compiles a pattern, a binary string, to a test of whole binary texts. Throws LiteralError. */
export function compileRegex(pattern: string): (text: string) => boolean {
  if (pattern.length > PATTERN_MAX) {
    throw new LiteralError(`the regular expression is longer than ${PATTERN_MAX} characters`);
  }
  if (expandedSize(pattern) > EXPANDED_MAX) {
    throw new LiteralError(
      `the repetitions of the regular expression expand to more than ${EXPANDED_MAX} elements`,
    );
  }
  let regex: RE2JS;
  try {
    regex = RE2JS.compile(fromBinaryText(pattern), RE2JS.MULTILINE);
  } catch (error) {
    const reason =
      error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    throw new LiteralError(`not a regular expression: ${reason}`);
  }
  return (text) => {
    const decoded = decodeBinaryText(text);
    return decoded !== undefined && regex.matches(decoded);
  };
}

/**
 * An upper bound of the elements a pattern has once its counted repetitions are written out. One pass; what is not
 * well-formed fails in the compiler, which costs no more than its length.
 */
export function expandedSize(pattern: string): number {
  const outer: number[] = [];
  let total = 0;
  let atom = 0;
  let i = 0;
  while (i < pattern.length) {
    const char = pattern[i];
    REPEAT.lastIndex = i;
    const repeat = char === '{' ? REPEAT.exec(pattern) : null;
    const start = i;
    i++;
    if (repeat !== null) {
      const count = Math.max(Number(repeat[1]), Number(repeat[2] ?? 0), 1);
      total += atom * (count - 1);
      atom *= count;
      i = start + repeat[0].length;
    } else if (char === '(') {
      outer.push(total);
      total = 0;
      atom = 0;
    } else if (char === ')' && outer.length > 0) {
      atom = total + 1;
      total = (outer.pop() as number) + atom;
    } else if (char !== '*' && char !== '+' && char !== '?') {
      if (char === '[') i = classEnd(pattern, start);
      else if (pattern.startsWith('\\Q', start)) i = literalEnd(pattern, start);
      else if (char === '\\') i = start + 2;
      // A class counts once per character, which bounds its ranges too.
      atom = i - start;
      total += atom;
    }
  }
  return outer.reduce((sum, size) => sum + size, total);
}

/** The offset behind the class that begins at `start`. */
function classEnd(pattern: string, start: number): number {
  let i = start + 1;
  if (pattern[i] === '^') i++;
  // A bracket that comes first is a member.
  if (pattern[i] === ']') i++;
  while (i < pattern.length && pattern[i] !== ']') {
    const named = pattern.startsWith('[:', i) ? pattern.indexOf(':]', i) : -1;
    if (named >= 0) i = named + 2;
    else i += pattern[i] === '\\' ? 2 : 1;
  }
  return i + 1;
}

/** The offset behind the literal run `\Q...\E` that begins at `start`. */
function literalEnd(pattern: string, start: number): number {
  const end = pattern.indexOf('\\E', start);
  return end < 0 ? pattern.length : end + 2;
}
