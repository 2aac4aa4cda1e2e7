/** Writes blocks one after another into a growing buffer: header, packed fields, padding, trailer. */
import type { Integer } from '../../event/u64.ts';
import { BLOCK_TRAILER_BYTES } from './block-types.ts';

const TWO_32 = 4294967296;

export class BlockEncoder {
  /** Bytes written and not taken yet. */
  at: number;
  private bytes: Buffer;
  private view: DataView;
  private readonly capacity: number;
  private blockAt: number;

  constructor(capacity: number) {
    this.at = 0;
    this.capacity = capacity;
    this.blockAt = 0;
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Hands over what was written; the encoder goes on in a buffer of its own. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.at);
    this.bytes = Buffer.allocUnsafeSlow(this.capacity);
    this.view = new DataView(this.bytes.buffer);
    this.at = 0;
    return taken;
  }

  /** What was written from `start` on; valid until more is written. */
  peek(start: number): Buffer {
    return this.bytes.subarray(start, this.at);
  }

  /** Adds whole blocks that another encoder has made. */
  append(blocks: Buffer): void {
    const at = this.room(blocks.length);
    blocks.copy(this.bytes, at);
  }

  begin(type: number): void {
    this.blockAt = this.at;
    this.u32(type);
    this.u32(0);
  }

  /** Bytes of the block under way. */
  get blockBytes(): number {
    return this.at - this.blockAt;
  }

  end(): void {
    while ((this.at - this.blockAt) % 4 !== 0) this.u8(0);
    const length = this.at - this.blockAt + BLOCK_TRAILER_BYTES;
    this.u32(length);
    this.view.setUint32(this.blockAt + 4, length, true);
  }

  /** Gives up the block under way. */
  cancel(): void {
    this.at = this.blockAt;
  }

  u8(value: number): void {
    const at = this.room(1);
    this.view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.room(2);
    this.view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.room(4);
    this.view.setUint32(at, value, true);
  }

  /** Sets a u16 written before. */
  patchU16(at: number, value: number): void {
    this.view.setUint16(at, value, true);
  }

  /** Sets a u32 written before. */
  patchU32(at: number, value: number): void {
    this.view.setUint32(at, value, true);
  }

  /** Signed or unsigned, the same bytes. */
  u64(value: Integer): void {
    const at = this.room(8);
    if (typeof value === 'bigint') {
      this.view.setBigUint64(at, BigInt.asUintN(64, value), true);
      return;
    }
    this.view.setUint32(at, value >>> 0, true);
    this.view.setInt32(at + 4, Math.floor(value / TWO_32), true);
  }

  /** A binary string as it is, or its first `max` bytes. */
  raw(text: string, max: number = text.length): void {
    const n = Math.min(text.length, max);
    const at = this.room(n);
    this.bytes.latin1Write(text, at, n);
  }

  /** Exactly `n` bytes, filled up with NULs. */
  padded(text: string, n: number): void {
    const at = this.room(n);
    this.bytes.fill(0, at, at + n);
    this.bytes.latin1Write(text, at, Math.min(text.length, n));
  }

  /** A u16 length and at most `max` bytes of text; what is longer is cut, as no reader takes it. */
  text(text: string, max: number): void {
    this.u16(Math.min(text.length, max));
    this.raw(text, max);
  }

  copy(from: Buffer, start: number, end: number): void {
    const at = this.room(end - start);
    from.copy(this.bytes, at, start, end);
  }

  /** Makes room for `n` bytes and returns where they go. To be called before `view` is read, which it may replace. */
  private room(n: number): number {
    const { at } = this;
    this.at = at + n;
    if (this.at > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.at));
      this.bytes.copy(larger, 0, 0, at);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    return at;
  }
}
