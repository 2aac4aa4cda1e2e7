/** Text of an address of 4 or 16 bytes in network byte order: `10.0.0.1`, `2001:db8::1`. Other lengths give hex digits. */
export function formatAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return bytes.toString('hex');
  const words = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2));
  const gap = longestZeroRun(words);
  if (gap.length < 2) return hexWords(words);
  return `${hexWords(words.slice(0, gap.start))}::${hexWords(words.slice(gap.start + gap.length))}`;
}

function hexWords(words: readonly number[]): string {
  return words.map((word) => word.toString(16)).join(':');
}

function longestZeroRun(words: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  words.forEach((word, i) => {
    if (word !== 0) start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  });
  return best;
}
