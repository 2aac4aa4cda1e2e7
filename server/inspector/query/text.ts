/** Text inside is binary strings (one character per byte); messages hold bytes, or UTF-8 text. */

export function bytesOf(binary: string): Buffer {
  return Buffer.from(binary, 'latin1');
}

/** For text that is UTF-8 by its nature, as container runtimes and host names give it. */
export function utf8Of(binary: string): string {
  return bytesOf(binary).toString('utf8');
}

/** Text of a request as a binary string. */
export function binaryOf(text: string): string {
  return Buffer.from(text, 'utf8').latin1Slice();
}

/** Labels and the like, as messages hold them. */
export function labelsOf(labels: ReadonlyMap<string, string>): { [key: string]: string } {
  const entries = [...labels].map(([key, value]): [string, string] => [utf8Of(key), utf8Of(value)]);
  // fromEntries defines members, so that a label named __proto__ is a label.
  return Object.fromEntries(entries);
}
