import type { ByteWriter } from '../byte-writer.ts';

const DOT = 46;

/** Binary data as text of the same length: what is not printable ASCII becomes a dot. */
export function bytesText(bytes: string): string {
  let text = '';
  let from = 0;
  for (let i = 0; i < bytes.length; i++) {
    const code = bytes.charCodeAt(i);
    if (code >= 0x20 && code <= 0x7e) continue;
    text += bytes.slice(from, i);
    text += '.';
    from = i + 1;
  }
  return from === 0 ? bytes : text + bytes.slice(from);
}

/** Appends bytes `from` to `to` as `bytesText` shows them. */
export function writePrintable(out: ByteWriter, bytes: Buffer, from: number, to: number): void {
  out.ensure(to - from);
  const target = out.bytes;
  let at = out.length;
  for (let i = from; i < to; i++) {
    const code = bytes[i] as number;
    target[at++] = code >= 0x20 && code <= 0x7e ? code : DOT;
  }
  out.length = at;
}

/** Where the text that starts at `from` ends: at its first NUL, or at `to`. */
export function textEnd(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== 0) at++;
  return at;
}
