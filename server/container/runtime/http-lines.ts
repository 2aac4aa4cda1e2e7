/** Objects of a stream of JSON texts, one a line, however it is cut into pieces. */
import { type JsonObject, objectOf } from '../container-json.ts';
import { RuntimeError } from './runtime-client.ts';

const NEWLINE = 0x0a;
/** Pieces of an unfinished line. */
const PARTS_MAX = 1024;

export class HttpLines {
  private readonly asked: string;
  private readonly lineBytesMax: number;
  private parts: Buffer[];
  private partBytes: number;

  constructor(asked: string, lineBytesMax: number) {
    this.asked = asked;
    this.lineBytesMax = lineBytesMax;
    this.parts = [];
    this.partBytes = 0;
  }

  /** Throws RuntimeError: `protocol` when a line is too long or holds no object. */
  *push(chunk: Buffer): Generator<JsonObject> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      this.keep(chunk.subarray(start, end < 0 ? chunk.length : end));
      if (end < 0) return;
      start = end + 1;
      const object = this.takeLine();
      if (object !== undefined) yield object;
    }
  }

  private keep(part: Buffer): void {
    this.partBytes += part.length;
    if (this.partBytes > this.lineBytesMax) {
      throw new RuntimeError('protocol', `${this.asked}: a line of more than ${this.lineBytesMax} bytes`);
    }
    if (part.length > 0) this.parts.push(part);
    // A line that comes byte by byte would take a hundred times its size.
    if (this.parts.length >= PARTS_MAX) this.parts = [Buffer.concat(this.parts, this.partBytes)];
  }

  /** Undefined when the line is blank. */
  private takeLine(): JsonObject | undefined {
    const text = Buffer.concat(this.parts, this.partBytes).toString('utf8').trim();
    this.parts = [];
    this.partBytes = 0;
    if (text === '') return undefined;
    const object = this.parse(text);
    if (object === undefined) throw new RuntimeError('protocol', `${this.asked}: a line that is no object`);
    return object;
  }

  private parse(text: string): JsonObject | undefined {
    try {
      return objectOf(JSON.parse(text));
    } catch {
      return undefined;
    }
  }
}
