/** Opens a capture file as a stream of uncompressed bytes. */
import { type FileHandle, open } from 'node:fs/promises';
import { CaptureError } from '../capture-engine.ts';
import { type ByteSource, PlainSource } from './byte-source.ts';
import { GzipSource } from './gzip-source.ts';

/** Enough to tell gzip from plain, and a small file whole. */
const HEAD_BYTES = 32_768;

export interface OpenedSource {
  readonly source: ByteSource;
  /** Size of the file; undefined when it is not a regular one. */
  readonly fileBytes: number | undefined;
}

/** The first bytes of the file: at least two unless it is shorter. */
async function readHead(file: FileHandle): Promise<Uint8Array> {
  const head = Buffer.allocUnsafeSlow(HEAD_BYTES);
  let length = 0;
  while (length < 2) {
    const { bytesRead } = await file.read(head, length, HEAD_BYTES - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return head.subarray(0, length);
}

/** Rejects with a CaptureError when the file cannot be opened or read. */
export async function openSource(path: string): Promise<OpenedSource> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const stat = await file.stat();
    const isRegular = stat.isFile();
    const head = await readHead(file);
    const isGzip = head[0] === 0x1f && head[1] === 0x8b;
    const source = isGzip ? new GzipSource(file, head, isRegular) : new PlainSource(file, head);
    return { source, fileBytes: isRegular ? stat.size : undefined };
  } catch (error) {
    await file?.close();
    const text = error instanceof Error ? error.message : String(error);
    throw new CaptureError(`cannot open the capture file: ${text}`, 0, { cause: error });
  }
}
