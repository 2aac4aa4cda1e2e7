/** Where the bytes of a capture come from: a plain or a gzip file, read piece by piece. */
import type { FileHandle } from 'node:fs/promises';
import type { ByteWindow } from './byte-window.ts';

export interface ByteSource {
  /** Bytes taken from the file. */
  readonly bytesRead: number;
  /** Nothing more will come. */
  readonly isEnded: boolean;
  /** Set when the stream ended because it is damaged: what was found and expected. */
  readonly damage: string | undefined;
  /** Appends what comes next to the window, at least one byte unless the source ends. */
  read(window: ByteWindow): Promise<void>;
  close(): Promise<void>;
}

const PLAIN_CHUNK_BYTES = 262_144;

function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A file as it is. */
export class PlainSource implements ByteSource {
  bytesRead: number;
  isEnded: boolean;
  damage: string | undefined;
  private readonly file: FileHandle;
  private head: Uint8Array | undefined;

  /** `head`: what has been read from the file already. */
  constructor(file: FileHandle, head: Uint8Array) {
    this.bytesRead = head.length;
    this.isEnded = false;
    this.damage = undefined;
    this.file = file;
    this.head = head;
  }

  async read(window: ByteWindow): Promise<void> {
    if (this.head !== undefined) {
      const { head } = this;
      this.head = undefined;
      if (head.length > 0) {
        window.append(head);
        return;
      }
    }
    window.reserve(PLAIN_CHUNK_BYTES);
    try {
      const { bytesRead } = await this.file.read(window.bytes, window.end, PLAIN_CHUNK_BYTES, null);
      this.bytesRead += bytesRead;
      window.end += bytesRead;
      this.isEnded = bytesRead === 0;
    } catch (error) {
      this.isEnded = true;
      this.damage = `the file cannot be read: ${errorText(error)}`;
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
