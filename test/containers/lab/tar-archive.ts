/** Tar files (ustar) out of what tests say, the same bytes each time: the digest of an image hangs on every one of them. */

export type TarEntry =
  | { readonly path: string; readonly kind: 'folder'; readonly mode?: number }
  | {
      readonly path: string;
      readonly kind: 'file';
      readonly content: Uint8Array | string;
      readonly mode?: number;
    }
  | { readonly path: string; readonly kind: 'link'; readonly target: string };

const BLOCK = 512;
const NAME_BYTES_MAX = 100;
const TYPE_OF: Record<TarEntry['kind'], string> = { file: '0', link: '2', folder: '5' };

/** Throws RangeError for a name that a plain header cannot hold. */
export function tarArchive(entries: readonly TarEntry[]): Buffer {
  const parts: Buffer[] = [];
  for (const entry of entries) {
    const content = entry.kind === 'file' ? Buffer.from(entry.content) : Buffer.alloc(0);
    parts.push(
      header(entry, content.length),
      content,
      Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK),
    );
  }
  parts.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(parts);
}

function header(entry: TarEntry, size: number): Buffer {
  const target = entry.kind === 'link' ? entry.target : '';
  if (Buffer.byteLength(entry.path) > NAME_BYTES_MAX || Buffer.byteLength(target) > NAME_BYTES_MAX)
    throw new RangeError(`the name is too long for a tar header: ${entry.path}`);
  const block = Buffer.alloc(BLOCK);
  const mode = entry.kind === 'link' ? 0o777 : (entry.mode ?? (entry.kind === 'folder' ? 0o755 : 0o644));
  block.write(entry.path, 0);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.fill(' ', 148, 156);
  block.write(TYPE_OF[entry.kind], 156);
  block.write(target, 157);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
