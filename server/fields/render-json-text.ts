/** Binary strings as JSON strings: valid UTF-8 passes through, bytes that are not become U+FFFD. */
import type { ByteWriter } from './byte-writer.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Bytes that one byte of text can become: `\u0000`. */
const GROWTH_MAX = 6;
const HEX_DIGITS = '0123456789abcdef';
/** U+FFFD in UTF-8. */
const REPLACEMENT = '\xef\xbf\xbd';

/** 1 for characters that stand for themselves in a JSON string. */
const PLAIN = new Uint8Array(256);
for (let code = 0x20; code < 0x80; code++) PLAIN[code] = 1;
PLAIN[QUOTE] = 0;
PLAIN[BACKSLASH] = 0;

/** The letter after the backslash for characters that have a short escape. */
const SHORT_ESCAPES = new Uint8Array(256);
for (const [code, letter] of [
  [QUOTE, '"'],
  [BACKSLASH, '\\'],
  [8, 'b'],
  [9, 't'],
  [10, 'n'],
  [12, 'f'],
  [13, 'r'],
] as const) {
  SHORT_ESCAPES[code] = letter.charCodeAt(0);
}

/** Appends the text in quotes. */
export function writeJsonText(writer: ByteWriter, text: string): void {
  const count = text.length;
  writer.ensure(count + 2);
  const { bytes } = writer;
  let at = writer.length;
  bytes[at++] = QUOTE;
  for (let i = 0; i < count; i++) {
    const code = text.charCodeAt(i);
    if (PLAIN[code] !== 1) {
      writer.length = at;
      writeEscaped(writer, text, i);
      return;
    }
    bytes[at++] = code;
  }
  bytes[at++] = QUOTE;
  writer.length = at;
}

/** Makes what was appended from `start` on, behind its opening quote, a JSON string. */
export function quoteWritten(writer: ByteWriter, start: number): void {
  const { bytes, length } = writer;
  for (let i = start; i < length; i++) {
    if (PLAIN[bytes[i] as number] === 1) continue;
    const rest = bytes.latin1Slice(i, length);
    writer.length = i;
    writeEscaped(writer, rest, 0);
    return;
  }
  writer.byte(QUOTE);
}

/** The rest of a text that holds something to escape, from `start`. */
function writeEscaped(writer: ByteWriter, text: string, start: number): void {
  const count = text.length;
  writer.ensure((count - start) * GROWTH_MAX + 1);
  const { bytes } = writer;
  let at = writer.length;
  for (let i = start; i < count; i++) {
    const code = text.charCodeAt(i);
    if (PLAIN[code] === 1) {
      bytes[at++] = code;
    } else if (code < 0x80) {
      at = writeEscape(bytes, at, code);
    } else {
      const length = utf8Length(text, i);
      const source = length === 0 ? REPLACEMENT : text;
      const from = length === 0 ? 0 : i;
      const bytesToCopy = length === 0 ? REPLACEMENT.length : length;
      for (let k = 0; k < bytesToCopy; k++) bytes[at++] = source.charCodeAt(from + k);
      if (length > 1) i += length - 1;
    }
  }
  bytes[at++] = QUOTE;
  writer.length = at;
}

function writeEscape(bytes: Buffer, start: number, code: number): number {
  let at = start;
  bytes[at++] = BACKSLASH;
  const short = SHORT_ESCAPES[code] as number;
  if (short !== 0) {
    bytes[at++] = short;
    return at;
  }
  bytes[at++] = 0x75;
  bytes[at++] = 0x30;
  bytes[at++] = 0x30;
  bytes[at++] = HEX_DIGITS.charCodeAt(code >> 4);
  bytes[at++] = HEX_DIGITS.charCodeAt(code & 15);
  return at;
}

/** Bytes of the valid UTF-8 sequence at `at`; 0 when there is none. */
function utf8Length(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > text.length) return 0;
  const second = text.charCodeAt(at + 1);
  // The second byte excludes overlong forms, surrogates and what lies beyond U+10FFFF.
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) {
    const code = text.charCodeAt(at + i);
    if (code < 0x80 || code > 0xbf) return 0;
  }
  return length;
}
