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
