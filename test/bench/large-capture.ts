/** A large capture for benchmarks: the state of a small one, and its events again and again. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

export interface LargeCapture {
  readonly path: string;
  /** Event blocks in the file. */
  readonly events: number;
  readonly bytes: number;
}

const EVENT_BLOCKS = new Set([0x204, 0x216, 0x208, 0x217, 0x221, 0x222, 0x8010abcd]);

/** Writes (once) a capture of at least `wanted` event blocks made of those of `source`. */
export function makeLargeCapture(source: string, wanted: number): LargeCapture {
  const directory = join(tmpdir(), 'strata-bench');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${basename(source, '.scap')}-${wanted}.scap`);
  const note = `${path}.count`;
  if (existsSync(path) && existsSync(note)) {
    return { path, events: Number(readFileSync(note, 'utf8')), bytes: statSync(path).size };
  }
  let bytes: Buffer = readFileSync(source);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes);
  const state: Buffer[] = [];
  const events: Buffer[] = [];
  for (let at = 0; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    const block = bytes.subarray(at, at + length);
    (EVENT_BLOCKS.has(bytes.readUInt32LE(at)) ? events : state).push(block);
    at += length;
  }
  const once = Buffer.concat(events);
  const times = Math.ceil(wanted / events.length);
  const fd = openSync(path, 'w');
  for (const block of state) writeSync(fd, block);
  for (let i = 0; i < times; i++) writeSync(fd, once);
  closeSync(fd);
  writeFileSync(note, String(times * events.length));
  return { path, events: times * events.length, bytes: statSync(path).size };
}
