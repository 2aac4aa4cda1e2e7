/** Reads the packed fields of one block body and reports damage with its place. Not for the loop: state blocks only. */
import type { Integer } from '../../event/u64.ts';
import { i64, u64 } from '../../event/u64.ts';
import { CaptureError } from '../capture-engine.ts';

const TWO_32 = 4294967296;

export class BlockReader {
  /** Position in `bytes`. */
  at: number;
  /** Reading at or beyond this position is damage; narrowed while an entry with a length of its own is read. */
  limit: number;
  private readonly bytes: Buffer;
  private readonly view: DataView;
  private readonly base: number;
  private readonly what: string;

  /** `base`: offset in the stream of `bytes[0]`. `what` names the block in messages. */
  constructor(bytes: Buffer, view: DataView, start: number, end: number, base: number, what: string) {
    this.bytes = bytes;
    this.view = view;
    this.at = start;
    this.limit = end;
    this.base = base;
    this.what = what;
  }

  get remaining(): number {
    return this.limit - this.at;
  }

  fail(message: string, at: number = this.at): never {
    throw new CaptureError(`${this.what}: ${message}`, this.base + at);
  }

  /** Takes `n` bytes and returns where they start. */
  private take(n: number, field: string): number {
    const { at } = this;
    if (this.limit - at < n) this.fail(`expected ${n} bytes of ${field}, found ${this.limit - at}`);
    this.at = at + n;
    return at;
  }

  skip(n: number, field: string): void {
    this.take(n, field);
  }

  u8(field: string): number {
    return this.view.getUint8(this.take(1, field));
  }

  u16(field: string): number {
    return this.view.getUint16(this.take(2, field), true);
  }

  u32(field: string): number {
    return this.view.getUint32(this.take(4, field), true);
  }

  u64(field: string): Integer {
    const at = this.take(8, field);
    return u64(this.view.getUint32(at + 4, true), this.view.getUint32(at, true));
  }

  i64(field: string): Integer {
    const at = this.take(8, field);
    return i64(this.view.getUint32(at + 4, true), this.view.getUint32(at, true));
  }

  u64Big(field: string): bigint {
    return this.view.getBigUint64(this.take(8, field), true);
  }

  /** A signed 64-bit id as a number: tids and fds, where nothing beyond 2^53 is meaningful. */
  id(field: string): number {
    const at = this.take(8, field);
    return this.view.getInt32(at + 4, true) * TWO_32 + this.view.getUint32(at, true);
  }

  /** `n` bytes as a binary string. */
  raw(n: number, field: string): string {
    const at = this.take(n, field);
    return this.bytes.latin1Slice(at, at + n);
  }

  /** At most `max` bytes after their u16 length, NULs included, as a binary string. */
  run(max: number, field: string): string {
    const at = this.at;
    const n = this.u16(field);
    if (n > max) this.fail(`${field} of ${n} bytes, expected at most ${max}`, at);
    return this.raw(n, field);
  }

  /** As `run`, up to the first NUL: texts are C strings to everyone who reads them. */
  text(max: number, field: string): string {
    const text = this.run(max, field);
    const nul = text.indexOf('\0');
    return nul < 0 ? text : text.slice(0, nul);
  }
}
