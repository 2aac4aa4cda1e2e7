/**
 * A gzip file of one or more members. Memory stays bounded whatever the data claims: compressed bytes go in by small
 * pieces, and each piece is awaited.
 *
 * The decompressor throws away what it made of the piece in which it finds damage. To deliver everything before the damage,
 * that piece is fed again to fresh decompressors in smaller and smaller steps.
 */
import type { FileHandle } from 'node:fs/promises';
import { constants, createGunzip, type Gunzip } from 'node:zlib';
import type { ByteSource } from './byte-source.ts';
import type { ByteWindow } from './byte-window.ts';

/** A piece grows to at most about a thousand times its size. */
const PIECE_BYTES = 32_768;
const OUTPUT_CHUNK_BYTES = 131_072;
/** Sizes of the steps in which a damaged piece is fed again. */
const SALVAGE_STEPS: readonly number[] = [256, 1];

/** One decompressor, fed and awaited piece by piece. */
class Inflater {
  private readonly gunzip: Gunzip;
  private readonly outputs: Buffer[];
  private error: Error | undefined;
  private hasEnded: boolean;
  private wake: (() => void) | undefined;

  constructor() {
    this.outputs = [];
    this.error = undefined;
    this.hasEnded = false;
    this.wake = undefined;
    this.gunzip = createGunzip({ chunkSize: OUTPUT_CHUNK_BYTES, finishFlush: constants.Z_FINISH });
    this.gunzip.on('data', (chunk: Buffer) => this.outputs.push(chunk));
    this.gunzip.on('error', (error: Error) => {
      this.error = error;
      this.wake?.();
    });
    this.gunzip.on('end', () => {
      this.hasEnded = true;
      this.wake?.();
    });
  }

  /** Feeds a piece, the last one when `isLast`; resolves with what came of it, or rejects with the damage. */
  async feed(piece: Uint8Array, isLast: boolean): Promise<Buffer[]> {
    const { gunzip } = this;
    if (this.error === undefined && !this.hasEnded) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        if (isLast) gunzip.end(piece);
        else gunzip.write(piece, () => resolve());
      });
      this.wake = undefined;
    }
    if (this.error !== undefined) throw this.error;
    return this.outputs.splice(0);
  }

  close(): void {
    this.gunzip.destroy();
  }
}

export class GzipSource implements ByteSource {
  bytesRead: number;
  isEnded: boolean;
  damage: string | undefined;
  private readonly file: FileHandle;
  private readonly isSeekable: boolean;
  private head: Uint8Array | undefined;
  private inflater: Inflater;
  /** Bytes handed out. */
  private delivered: number;

  /** `isSeekable`: the file can be read again from its start. */
  constructor(file: FileHandle, head: Uint8Array, isSeekable: boolean) {
    this.bytesRead = 0;
    this.isEnded = false;
    this.damage = undefined;
    this.file = file;
    this.isSeekable = isSeekable;
    this.head = head;
    this.inflater = new Inflater();
    this.delivered = 0;
  }

  async read(window: ByteWindow): Promise<void> {
    const before = this.delivered;
    while (!this.isEnded && this.delivered === before) {
      const pieceAt = this.bytesRead;
      const piece = await this.nextPiece();
      try {
        this.take(await this.inflater.feed(piece, piece.length === 0), window);
        if (piece.length === 0) this.isEnded = true;
      } catch (error) {
        this.isEnded = true;
        this.damage = `gzip data is damaged: ${error instanceof Error ? error.message : String(error)}`;
        if (this.isSeekable) await this.salvage(window, pieceAt, piece);
      }
    }
  }

  async close(): Promise<void> {
    this.inflater.close();
    await this.file.close();
  }

  private take(outputs: readonly Buffer[], window: ByteWindow): void {
    for (const output of outputs) {
      window.append(output);
      this.delivered += output.length;
    }
  }

  /** Compressed bytes, none at the end of the file. */
  private async nextPiece(): Promise<Uint8Array> {
    let piece = this.head;
    this.head = undefined;
    if (piece === undefined || piece.length === 0) {
      try {
        const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
        const { bytesRead } = await this.file.read(buffer, 0, PIECE_BYTES, null);
        piece = buffer.subarray(0, bytesRead);
      } catch (error) {
        this.damage = `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`;
        piece = new Uint8Array(0);
      }
    }
    this.bytesRead += piece.length;
    return piece;
  }

  /** Gets out what the damaged piece still holds: see the head of the file. */
  private async salvage(window: ByteWindow, pieceAt: number, piece: Uint8Array): Promise<void> {
    let damagedAt = pieceAt;
    let damaged = piece;
    for (const stepBytes of SALVAGE_STEPS) {
      this.inflater.close();
      this.inflater = new Inflater();
      let skip = this.delivered;
      const feed = async (bytes: Uint8Array): Promise<void> => {
        for (const output of await this.inflater.feed(bytes, false)) {
          const known = Math.min(skip, output.length);
          skip -= known;
          if (known < output.length) this.take([output.subarray(known)], window);
        }
      };
      await this.replay(damagedAt, feed);
      const failedAt = await feedInSteps(damaged, stepBytes, feed);
      if (failedAt < 0) return;
      damagedAt += failedAt;
      damaged = damaged.subarray(failedAt, failedAt + stepBytes);
    }
  }

  /** Feeds the file's first `length` bytes, known to be good. */
  private async replay(length: number, feed: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
    for (let at = 0; at < length; ) {
      const { bytesRead } = await this.file.read(buffer, 0, Math.min(PIECE_BYTES, length - at), at);
      if (bytesRead === 0) return;
      await feed(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  }
}

/** Feeds `bytes` step by step; returns where the step that failed starts, -1 when none did. */
async function feedInSteps(
  bytes: Uint8Array,
  stepBytes: number,
  feed: (bytes: Uint8Array) => Promise<void>,
): Promise<number> {
  for (let at = 0; at < bytes.length; at += stepBytes) {
    try {
      await feed(bytes.subarray(at, at + stepBytes));
    } catch {
      return at;
    }
  }
  return -1;
}
