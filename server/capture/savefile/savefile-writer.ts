/**
 * Writes a capture file in today's format, plain or gzip. Writing is synchronous into a buffer that goes to the file in
 * the background; whoever writes much awaits `drain` when told to.
 */
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { EventRecord } from '../../event/event-record.ts';
import type {
  FdEntry,
  GroupEntry,
  InterfaceEntry,
  MachineEntry,
  ThreadEntry,
  UserEntry,
} from '../../event/snapshot.ts';
import { BlockEncoder } from './block-encoder.ts';
import { encodeEvent, encodeSection } from './event-encoder.ts';
import { encodeFds, encodeInterfaces, encodeMachine, encodeThreads, encodeUsers } from './state-encoder.ts';

export interface SavefileWriterOptions {
  /** gzip the file. */
  readonly compress: boolean;
}

const CHUNK_BYTES = 262_144;

export class SavefileWriter {
  /** Events written. */
  events: number;
  /** Bytes written, before compression. */
  bytes: number;
  private readonly encoder: BlockEncoder;
  /** Where chunks go: the file, or the compressor before it. */
  private readonly head: Writable;
  private readonly file: Writable;
  private error: Error | undefined;
  private isFull: boolean;

  private constructor(head: Writable, file: Writable) {
    this.events = 0;
    this.bytes = 0;
    this.encoder = new BlockEncoder(CHUNK_BYTES * 2);
    this.head = head;
    this.file = file;
    this.error = undefined;
    this.isFull = false;
    const onError = (error: Error): void => {
      this.error ??= error;
      this.head.destroy();
      this.file.destroy();
    };
    file.on('error', onError);
    if (head !== file) head.on('error', onError);
  }

  /** Creates or empties the file and starts its first section. Rejects when it cannot be opened. */
  static async open(path: string, options: SavefileWriterOptions): Promise<SavefileWriter> {
    const handle = await open(path, 'w');
    const file = createWriteStream('', { fd: handle });
    let head: Writable = file;
    if (options.compress) {
      const gzip = createGzip();
      gzip.pipe(file);
      head = gzip;
    }
    const writer = new SavefileWriter(head, file);
    writer.startSection();
    return writer;
  }

  /** Starts another section: what follows describes another capture. */
  startSection(): void {
    encodeSection(this.encoder);
    this.flushIfLong();
  }

  writeMachine(entry: MachineEntry): void {
    encodeMachine(this.encoder, entry);
    this.flushIfLong();
  }

  writeInterfaces(entries: readonly InterfaceEntry[]): void {
    encodeInterfaces(this.encoder, entries);
    this.flushIfLong();
  }

  writeUsers(users: readonly UserEntry[], groups: readonly GroupEntry[]): void {
    encodeUsers(this.encoder, users, groups);
    this.flushIfLong();
  }

  writeThreads(entries: Iterable<ThreadEntry>): void {
    encodeThreads(this.encoder, entries);
    this.flushIfLong();
  }

  /** Fds of one thread; after its thread. */
  writeFds(tid: number, entries: readonly FdEntry[]): void {
    encodeFds(this.encoder, tid, entries);
    this.flushIfLong();
  }

  /** Copies the record as it is. False: await `drain` before the next one. */
  writeEvent(record: EventRecord): boolean {
    encodeEvent(this.encoder, record);
    this.events++;
    return this.flushIfLong();
  }

  /** Waits until the file has taken what was written. Rejects when it cannot be written. */
  async drain(): Promise<void> {
    if (this.error === undefined && this.isFull) {
      await new Promise<void>((resolve) => {
        const settle = (): void => {
          this.head.off('drain', settle);
          this.head.off('close', settle);
          resolve();
        };
        this.head.once('drain', settle);
        this.head.once('close', settle);
      });
    }
    this.isFull = false;
    if (this.error !== undefined) throw this.error;
  }

  /** Writes what is left and closes the file. Rejects when it could not be written completely. */
  async close(): Promise<void> {
    if (this.encoder.at > 0) this.flush();
    if (this.error === undefined) {
      this.head.end();
      // The error is kept by the handlers; what is thrown here may be its consequence.
      await finished(this.file).catch((error: Error) => {
        this.error ??= error;
      });
    }
    if (this.error !== undefined) throw this.error;
  }

  private flushIfLong(): boolean {
    if (this.encoder.at < CHUNK_BYTES) return !this.isFull;
    this.flush();
    return !this.isFull;
  }

  private flush(): void {
    const chunk = this.encoder.take();
    this.bytes += chunk.length;
    if (this.error === undefined && !this.head.write(chunk)) this.isFull = true;
  }
}
