/** Objects of a watch, one a line, however the answer is cut into pieces. */
import { type JsonObject, objectOf } from '../container/container-json.ts';
import { KubeError } from './kube-error.ts';

const NEWLINE = 0x0a;

export class KubeLines {
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

  /** Throws KubeError `protocol` when a line is too long or holds no object. */
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

  /** The answer is over. Throws KubeError `unreachable` when it ended within a line. */
  end(): void {
    if (this.partBytes > 0) throw new KubeError('unreachable', `${this.asked}: ended within an event`);
  }

  private keep(part: Buffer): void {
    this.partBytes += part.length;
    if (this.partBytes > this.lineBytesMax) {
      throw new KubeError('protocol', `${this.asked}: an event of more than ${this.lineBytesMax} bytes`);
    }
    if (part.length > 0) this.parts.push(part);
  }

  private takeLine(): JsonObject | undefined {
    const text = Buffer.concat(this.parts, this.partBytes).toString('utf8').trim();
    this.parts = [];
    this.partBytes = 0;
    if (text === '') return undefined;
    try {
      const object = objectOf(JSON.parse(text));
      if (object !== undefined) return object;
    } catch {
      // Told below.
    }
    throw new KubeError('protocol', `${this.asked}: an event that is no object`);
  }
}
