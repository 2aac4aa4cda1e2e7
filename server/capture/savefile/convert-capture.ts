/** Rewrites a capture in today's format: every state block, and every event as today's schema has it. */
import { rename, rm } from 'node:fs/promises';
import { EventRecord } from '../../event/event-record.ts';
import { CaptureError, NEXT_END, NEXT_EVENT } from '../capture-engine.ts';
import { SavefileEngine, type SavefileLimits } from './savefile-engine.ts';
import { SavefileWriter } from './savefile-writer.ts';
import { SnapshotWriter } from './snapshot-writer.ts';

export interface ConvertOptions {
  /** gzip the output. */
  readonly compress: boolean;
  readonly limits?: SavefileLimits | undefined;
  /** Called now and then with the bytes read so far and the size of the input. */
  readonly onProgress?: ((bytesRead: number, totalBytes: number | undefined) => void) | undefined;
}

export interface ConvertSummary {
  readonly events: number;
  /** Records of unknown type, left out. */
  readonly unknownEvents: number;
  /** Enter records that went into their exit, and unused ids. */
  readonly absorbedEvents: number;
  /** Bytes of the output before compression. */
  readonly bytes: number;
  /** What ended the input early; the output holds everything before it. */
  readonly damage: CaptureError | undefined;
}

/** Copies events until the input ends; returns the damage that ended it, if any. */
async function copyEvents(
  engine: SavefileEngine,
  writer: SavefileWriter,
  options: ConvertOptions,
): Promise<CaptureError | undefined> {
  const record = new EventRecord();
  try {
    for (;;) {
      const result = engine.next(record);
      if (result === NEXT_END) return undefined;
      if (result === NEXT_EVENT) {
        if (!writer.writeEvent(record)) await writer.drain();
        continue;
      }
      options.onProgress?.(engine.counters.bytesRead, engine.totalBytes);
      await engine.fill();
    }
  } catch (error) {
    if (error instanceof CaptureError) return error;
    throw error;
  }
}

/**
 * Reads `inPath` and writes `outPath`, which may be the same file: it is replaced when all is written. Rejects with a
 * CaptureError when the input is damaged before its first event, and with the system's error when the output cannot be written.
 */
export async function convertCapture(
  inPath: string,
  outPath: string,
  options: ConvertOptions,
): Promise<ConvertSummary> {
  const partPath = `${outPath}.part-${process.pid}`;
  const engine = new SavefileEngine({ path: inPath, limits: options.limits });
  try {
    const writer = await SavefileWriter.open(partPath, { compress: options.compress });
    const state = new SnapshotWriter(writer);
    let damage: CaptureError | undefined;
    try {
      await engine.open(state);
      state.flush();
      damage = await copyEvents(engine, writer, options);
    } finally {
      await writer.close();
    }
    await rename(partPath, outPath);
    const { unknownEvents, absorbedEvents } = engine.counters;
    return { events: writer.events, unknownEvents, absorbedEvents, bytes: writer.bytes, damage };
  } catch (error) {
    await rm(partPath, { force: true });
    throw error;
  } finally {
    await engine.close();
  }
}
