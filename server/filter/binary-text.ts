/** Between Unicode text and binary strings (one character per byte of the UTF-8 form), and case for ASCII only. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is the point
const NOT_ASCII = /[^\x00-\x7f]/;

/** Whether the text, Unicode or binary, is plain ASCII. */
function isAscii(text: string): boolean {
  return !NOT_ASCII.test(text);
}

export function toBinaryText(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').latin1Slice();
}

/** Bytes that are not UTF-8 become replacement characters. */
export function fromBinaryText(binary: string): string {
  return isAscii(binary) ? binary : Buffer.from(binary, 'latin1').toString('utf8');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The Unicode text of a binary string, or undefined when its bytes are not UTF-8. */
export function decodeBinaryText(binary: string): string | undefined {
  if (isAscii(binary)) return binary;
  try {
    return utf8.decode(Buffer.from(binary, 'latin1'));
  } catch {
    return undefined;
  }
}

/** Lower case of ASCII letters; other bytes stay, as the C locale has it. */
export function asciiLower(binary: string): string {
  return isAscii(binary) ? binary.toLowerCase() : binary.replace(/[A-Z]+/g, (run) => run.toLowerCase());
}

/** Upper case of ASCII letters; other bytes stay. */
export function asciiUpper(binary: string): string {
  return isAscii(binary) ? binary.toUpperCase() : binary.replace(/[a-z]+/g, (run) => run.toUpperCase());
}
