/**
 * The part of a stream that is in memory: a buffer with a read position, refilled at its end. Data moves only when room is
 * made, so what was read stays in place until then.
 */

const CAPACITY_MIN = 65_536;

export class ByteWindow {
  bytes: Buffer;
  /** Over `bytes`, made once per buffer so that reading allocates nothing. */
  view: DataView;
  /** First unread byte. */
  start: number;
  /** Past the last byte held. */
  end: number;
  /** Offset in the stream of `bytes[0]`. */
  base: number;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(Math.max(capacity, CAPACITY_MIN));
    this.view = new DataView(this.bytes.buffer);
    this.start = 0;
    this.end = 0;
    this.base = 0;
  }

  /** Unread bytes held. */
  get available(): number {
    return this.end - this.start;
  }

  /** Offset in the stream of the first unread byte. */
  get offset(): number {
    return this.base + this.start;
  }

  /** Makes room for at least `room` bytes after `end`: moves unread bytes to the front, or into a larger buffer. */
  reserve(room: number): void {
    if (this.bytes.length - this.end >= room) return;
    const held = this.end - this.start;
    if (this.bytes.length - held >= room) {
      this.bytes.copyWithin(0, this.start, this.end);
    } else {
      // Doubling keeps the copying linear; the caller bounds what it asks for.
      const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, held + room));
      this.bytes.copy(larger, 0, this.start, this.end);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    this.base += this.start;
    this.start = 0;
    this.end = held;
  }

  append(chunk: Uint8Array): void {
    this.reserve(chunk.length);
    this.bytes.set(chunk, this.end);
    this.end += chunk.length;
  }
}
