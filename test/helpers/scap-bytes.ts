/** Bytes of capture files put together by hand, independent of the code under test. Little-endian. */

export class ScapBytes {
  private readonly parts: Buffer[] = [];

  get length(): number {
    return this.parts.reduce((sum, part) => sum + part.length, 0);
  }

  u8(value: number): this {
    return this.raw(Buffer.of(value & 0xff));
  }

  u16(value: number): this {
    const part = Buffer.alloc(2);
    part.writeUInt16LE(value & 0xffff);
    return this.raw(part);
  }

  u32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeUInt32LE(value >>> 0);
    return this.raw(part);
  }

  /** Negative values as two's complement. */
  u64(value: number | bigint): this {
    const part = Buffer.alloc(8);
    part.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
    return this.raw(part);
  }

  raw(bytes: Uint8Array | string): this {
    this.parts.push(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes));
    return this;
  }

  /** A u16 length and the text. */
  text(text: string): this {
    return this.u16(text.length).raw(text);
  }

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

/** One block: type, length, body, padding, length again. */
export function scapBlock(type: number, body: Uint8Array): Buffer {
  const padding = Buffer.alloc((4 - (body.length % 4)) % 4);
  const length = 12 + body.length + padding.length;
  return new ScapBytes().u32(type).u32(length).raw(body).raw(padding).u32(length).bytes();
}
