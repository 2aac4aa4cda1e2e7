/**
 * Shell patterns over bytes: `*` any run, `?` any byte, `[abc]`, `[a-z]`, `[!a]`, `[[:alpha:]]`, `\x` the byte itself.
 * A slash is a byte like others. Cost is at most pattern length times text length; there is no recursion.
 */
import { asciiLower } from './binary-text.ts';

/** One byte of the text: a literal, or the set of bytes it may be. */
type Element = number | Uint8Array;

/** A run of elements between stars. */
interface Segment {
  readonly elements: readonly Element[];
  /** The run as text when every element is a literal. */
  readonly literal: string | undefined;
}

const ANY_BYTE = new Uint8Array(256).fill(1);

const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[a-zA-Z0-9]/,
  alpha: /[a-zA-Z]/,
  blank: /[ \t]/,
  cntrl: /\p{Cc}/u,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\v\f\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9a-fA-F]/,
};

/** Compiles a pattern, a binary string, to a test of whole binary texts. */
export function compileGlob(pattern: string, ignoreCase: boolean): (text: string) => boolean {
  const segments = parseGlob(ignoreCase ? asciiLower(pattern) : pattern, ignoreCase);
  if (segments === undefined) return () => false;
  const test = segmentsTest(segments);
  return ignoreCase ? (text) => test(asciiLower(text)) : test;
}

/** The segments between stars; undefined when the pattern matches nothing. */
function parseGlob(pattern: string, ignoreCase: boolean): Segment[] | undefined {
  const segments: Segment[] = [];
  let elements: Element[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] as string;
    if (char === '*') {
      segments.push(toSegment(elements));
      elements = [];
      while (pattern[i + 1] === '*') i++;
    } else if (char === '?') {
      elements.push(ANY_BYTE);
    } else if (char === '\\') {
      i++;
      if (i >= pattern.length) return undefined;
      elements.push(pattern.charCodeAt(i));
    } else {
      const set = char === '[' ? parseSet(pattern, i + 1, ignoreCase) : undefined;
      // A bracket that never closes is an ordinary character.
      elements.push(set === undefined ? pattern.charCodeAt(i) : set.bytes);
      if (set !== undefined) i = set.end;
    }
  }
  segments.push(toSegment(elements));
  return segments;
}

function toSegment(elements: readonly Element[]): Segment {
  const literals = elements.filter((element) => typeof element === 'number');
  const literal = literals.length === elements.length ? String.fromCharCode(...literals) : undefined;
  return { elements, literal };
}

/** A bracket expression from behind its `[`; `end` is the offset of its `]`. */
function parseSet(pattern: string, start: number, ignoreCase: boolean) {
  const bytes = new Uint8Array(256);
  let i = start;
  const isNegated = pattern[i] === '!' || pattern[i] === '^';
  if (isNegated) i++;
  for (let isFirst = true; ; isFirst = false) {
    if (i >= pattern.length) return undefined;
    if (pattern[i] === ']' && !isFirst) break;
    const named = namedClass(pattern, i);
    if (named !== undefined) {
      addClass(bytes, named.name);
      i = named.end;
      continue;
    }
    const low = setByte(pattern, i);
    if (low === undefined) return undefined;
    i = low.end;
    let high = low.byte;
    if (pattern[i] === '-' && pattern[i + 1] !== undefined && pattern[i + 1] !== ']') {
      const last = setByte(pattern, i + 1);
      if (last === undefined) return undefined;
      high = last.byte;
      i = last.end;
    }
    for (let byte = low.byte; byte <= high; byte++) bytes[byte] = 1;
  }
  if (ignoreCase) foldCase(bytes);
  if (isNegated) for (let byte = 0; byte < 256; byte++) bytes[byte] = bytes[byte] === 1 ? 0 : 1;
  return { bytes, end: i };
}

/** One byte of a set, which a backslash may protect; also `[.x.]` and `[=x=]`. */
function setByte(pattern: string, start: number): { byte: number; end: number } | undefined {
  const char = pattern[start];
  if (char === '[' && (pattern[start + 1] === '.' || pattern[start + 1] === '=')) {
    const close = `${pattern[start + 1]}]`;
    if (pattern.startsWith(close, start + 3)) return { byte: pattern.charCodeAt(start + 2), end: start + 5 };
  }
  const at = char === '\\' ? start + 1 : start;
  return at < pattern.length ? { byte: pattern.charCodeAt(at), end: at + 1 } : undefined;
}

function namedClass(pattern: string, start: number): { name: string; end: number } | undefined {
  if (!pattern.startsWith('[:', start)) return undefined;
  const close = pattern.indexOf(':]', start + 2);
  const name = close < 0 ? '' : pattern.slice(start + 2, close);
  return Object.hasOwn(CLASSES, name) ? { name, end: close + 2 } : undefined;
}

function addClass(bytes: Uint8Array, name: string): void {
  const chars = CLASSES[name] as RegExp;
  for (let byte = 0; byte < 128; byte++) if (chars.test(String.fromCharCode(byte))) bytes[byte] = 1;
}

/** Texts are lowered before they are matched: a set that holds an upper-case letter must hold the lower one. */
function foldCase(bytes: Uint8Array): void {
  for (let byte = 65; byte <= 90; byte++) if (bytes[byte] === 1) bytes[byte + 32] = 1;
}

function segmentsTest(segments: readonly Segment[]): (text: string) => boolean {
  const first = segments[0] as Segment;
  if (segments.length === 1) {
    const { literal } = first;
    if (literal !== undefined) return (text) => text === literal;
    return (text) => text.length === first.elements.length && matchesAt(first, text, 0);
  }
  const last = segments[segments.length - 1] as Segment;
  const middle = segments.slice(1, -1).filter((segment) => segment.elements.length > 0);
  const anchored = first.elements.length + last.elements.length;
  return (text) => {
    const end = text.length - last.elements.length;
    if (text.length < anchored || !matchesAt(first, text, 0) || !matchesAt(last, text, end)) return false;
    let at = first.elements.length;
    for (const segment of middle) {
      // The earliest place is as good as any later one, as a star precedes it.
      at = findSegment(segment, text, at, end);
      if (at < 0) return false;
      at += segment.elements.length;
    }
    return true;
  };
}

function matchesAt(segment: Segment, text: string, start: number): boolean {
  if (segment.literal !== undefined) return text.startsWith(segment.literal, start);
  const { elements } = segment;
  for (let i = 0; i < elements.length; i++) {
    const element = elements[i] as Element;
    const byte = text.charCodeAt(start + i);
    if (typeof element === 'number' ? element !== byte : element[byte] !== 1) return false;
  }
  return true;
}

/** The first place in `from..end` where the segment fits wholly; -1 when there is none. */
function findSegment(segment: Segment, text: string, from: number, end: number): number {
  const lastStart = end - segment.elements.length;
  if (segment.literal !== undefined) {
    const found = text.indexOf(segment.literal, from);
    return found > lastStart ? -1 : found;
  }
  for (let at = from; at <= lastStart; at++) if (matchesAt(segment, text, at)) return at;
  return -1;
}
