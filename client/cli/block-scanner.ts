/** Follows the blocks of a capture file as its bytes go by: where the last whole one ends. */

/** Type and total length. */
const HEADER_BYTES = 8;

export class BlockScanner {
  /** Bytes up to the end of the last whole block. */
  wholeBytes: number;
  private seenBytes: number;
  private readonly header: Buffer;
  private headerBytes: number;
  /** Where the block under way ends; undefined before its length is known. */
  private blockEnd: number | undefined;

  constructor() {
    this.wholeBytes = 0;
    this.seenBytes = 0;
    this.header = Buffer.alloc(HEADER_BYTES);
    this.headerBytes = 0;
    this.blockEnd = undefined;
  }

  add(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.byteLength) {
      if (this.blockEnd === undefined) {
        const n = Math.min(HEADER_BYTES - this.headerBytes, bytes.byteLength - at);
        this.header.set(bytes.subarray(at, at + n), this.headerBytes);
        this.headerBytes += n;
        at += n;
        this.seenBytes += n;
        if (this.headerBytes < HEADER_BYTES) return;
        this.blockEnd = this.wholeBytes + Math.max(HEADER_BYTES, this.header.readUInt32LE(4));
      }
      const n = Math.min(this.blockEnd - this.seenBytes, bytes.byteLength - at);
      at += n;
      this.seenBytes += n;
      if (this.seenBytes < this.blockEnd) return;
      this.wholeBytes = this.blockEnd;
      this.blockEnd = undefined;
      this.headerBytes = 0;
    }
  }
}
