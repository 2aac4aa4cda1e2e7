/**
 * Reads a capture file: initial state first, then events, in bounded memory. Records are read where the file's bytes lie;
 * those of older schemas are brought to today's on the way (upgrade of the header, then conversion).
 */
import { CONVERT_DONE, CONVERT_DROP, CONVERT_FAILED, EventConverter } from '../../event/converter.ts';
import type { EventRecord } from '../../event/event-record.ts';
import { EF_CONVERTER_MANAGED } from '../../event/event-table.ts';
import {
  PPM_EVENT_MAX,
  PPME_CONTAINER_JSON_2_E,
  PPME_GROUP_ADDED_E,
  PPME_GROUP_DELETED_E,
  PPME_USER_ADDED_E,
  PPME_USER_DELETED_E,
} from '../../event/event-types.ts';
import type { SnapshotSink } from '../../event/snapshot.ts';
import {
  type CaptureCounters,
  type CaptureEngine,
  CaptureError,
  NEXT_END,
  NEXT_EVENT,
  NEXT_NEED_MORE,
  type NextResult,
} from '../capture-engine.ts';
import {
  BLOCK_BYTES_MIN,
  BLOCK_HEADER_BYTES,
  BLOCK_TRAILER_BYTES,
  EV_V1,
  EV_V1_OLD,
  EV_V2,
  EV_V2_LARGE,
  EVF_V1,
  EVF_V2,
  EVF_V2_LARGE,
  hexId,
  isEventBlock,
  SHB,
  SMALL_EVENT_BODY_BYTES_MAX,
} from './block-types.ts';
import type { ByteSource } from './byte-source.ts';
import { ByteWindow } from './byte-window.ts';
import { openSource } from './open-source.ts';
import { checkRecord, OLD_HEADER_BYTES, RecordUpgrade } from './record-check.ts';
import { isStateBlock, readSectionHeader, readStateBlock } from './state-block.ts';

export interface SavefileLimits {
  /** Longest block that is read; a longer one ends the capture with an error. */
  readonly blockBytesMax: number;
}

export const DEFAULT_SAVEFILE_LIMITS: SavefileLimits = { blockBytesMax: 67_108_864 };

export interface SavefileOptions {
  readonly path: string;
  readonly limits?: SavefileLimits | undefined;
}

/** `record.flags` bit: the record carries state and is not shown to users. */
export const FLAG_STATE_ONLY = 1;

const WINDOW_BYTES = 524_288;
const EVENT_HEAD_BYTES = OLD_HEADER_BYTES;

/** Event types that, before a section's first other event, are part of its initial state. */
const INITIAL_STATE_TYPES: Uint8Array = new Uint8Array(PPM_EVENT_MAX);
for (const type of [
  PPME_CONTAINER_JSON_2_E,
  PPME_USER_ADDED_E,
  PPME_USER_DELETED_E,
  PPME_GROUP_ADDED_E,
  PPME_GROUP_DELETED_E,
]) {
  INITIAL_STATE_TYPES[type] = 1;
}

export class SavefileEngine implements CaptureEngine {
  readonly name = 'savefile';
  readonly counters: CaptureCounters;
  totalBytes: number | undefined;
  private readonly path: string;
  private readonly limits: SavefileLimits;
  private readonly window: ByteWindow;
  private readonly converter: EventConverter;
  private upgrade: RecordUpgrade | undefined;
  private source: ByteSource | undefined;
  private sink: SnapshotSink | undefined;
  /** What was wrong: every further `next` says so again. */
  private failure: CaptureError | undefined;
  /** Bytes the window must hold before `next` can go on. */
  private needBytes: number;
  /** Number of the last event. */
  private eventNumber: number;
  private sections: number;
  /** Reading state blocks; false from a section's first event block on. */
  private isInState: boolean;
  /** No event but initial state has been seen in this section. */
  private isLeading: boolean;
  /** Of a block that is skipped: bytes still to pass, and its length. */
  private skipBytes: number;
  private skippedLength: number;

  constructor(options: SavefileOptions) {
    this.counters = { bytesRead: 0, unknownEvents: 0, absorbedEvents: 0, eventsLost: 0 };
    this.totalBytes = undefined;
    this.path = options.path;
    this.limits = options.limits ?? DEFAULT_SAVEFILE_LIMITS;
    this.window = new ByteWindow(WINDOW_BYTES);
    this.converter = new EventConverter();
    this.upgrade = undefined;
    this.source = undefined;
    this.sink = undefined;
    this.failure = undefined;
    this.needBytes = BLOCK_HEADER_BYTES;
    this.eventNumber = 0;
    this.sections = 0;
    this.isInState = true;
    this.isLeading = true;
    this.skipBytes = 0;
    this.skippedLength = 0;
  }

  /**
   * Opens the file and delivers its initial state. Rejects with a CaptureError when the file cannot be read or is
   * damaged before its first event. A file without any event opens; its first `next` throws.
   */
  async open(sink: SnapshotSink): Promise<void> {
    this.sink = sink;
    const { source, fileBytes } = await openSource(this.path);
    this.source = source;
    this.totalBytes = fileBytes;
    this.counters.bytesRead = source.bytesRead;
    try {
      while (this.readState() === NEXT_NEED_MORE) await this.fill();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  next(record: EventRecord): NextResult {
    if (this.failure !== undefined) throw this.failure;
    for (;;) {
      if (this.isInState) {
        const result = this.readState();
        if (result === NEXT_END) this.fail('no events in the capture, expected an event block', 0);
        if (result !== NEXT_EVENT) return result;
      }
      const { window } = this;
      const { view, start } = window;
      const available = window.end - start;
      if (available < BLOCK_HEADER_BYTES) return this.starve(BLOCK_HEADER_BYTES, 'a block header');
      const length = view.getUint32(start + 4, true);
      let recordAt = start + BLOCK_HEADER_BYTES + 2;
      let isOld = false;
      let bodyMax = SMALL_EVENT_BODY_BYTES_MAX;
      let flags = 0;
      switch (view.getUint32(start, true)) {
        case EV_V2:
          break;
        case EVF_V2:
          recordAt += 4;
          break;
        case EV_V1:
        case EV_V1_OLD:
          isOld = true;
          break;
        case EVF_V1:
          isOld = true;
          recordAt += 4;
          break;
        case EV_V2_LARGE:
          bodyMax = this.limits.blockBytesMax - BLOCK_HEADER_BYTES;
          break;
        case EVF_V2_LARGE:
          bodyMax = this.limits.blockBytesMax - BLOCK_HEADER_BYTES;
          recordAt += 4;
          break;
        default:
          this.startSection();
          continue;
      }
      const headEnd = recordAt + EVENT_HEAD_BYTES + (isOld ? 0 : 4);
      const lengthMin = headEnd - start + BLOCK_TRAILER_BYTES;
      if (length < lengthMin || length - BLOCK_HEADER_BYTES > bodyMax) {
        this.fail(
          `event block of ${length} bytes, expected ${lengthMin} to ${bodyMax + BLOCK_HEADER_BYTES}`,
          4,
        );
      }
      if (available < length) return this.starve(length, 'an event block');
      if (recordAt - start > BLOCK_HEADER_BYTES + 2) {
        flags = view.getUint32(start + BLOCK_HEADER_BYTES + 2, true);
      }
      const cpu = view.getUint16(start + BLOCK_HEADER_BYTES, true);
      const bodyBytes = start + length - BLOCK_TRAILER_BYTES - recordAt;
      if (this.load(record, recordAt, bodyBytes, isOld, cpu, flags)) {
        window.start = start + length;
        return NEXT_EVENT;
      }
      window.start = start + length;
    }
  }

  async fill(): Promise<void> {
    const { source, window } = this;
    if (source === undefined) return;
    do {
      await source.read(window);
    } while (!source.isEnded && window.available < this.needBytes);
    this.counters.bytesRead = source.bytesRead;
  }

  async close(): Promise<void> {
    const { source } = this;
    this.source = undefined;
    await source?.close();
  }

  /** Brings one record to today's schema and into `record`. False when it is not for anybody. */
  private load(
    record: EventRecord,
    recordAt: number,
    bodyBytes: number,
    isOld: boolean,
    cpu: number,
    flags: number,
  ): boolean {
    let { bytes, view } = this.window;
    let at = recordAt;
    if (view.getUint16(at + 20, true) >= PPM_EVENT_MAX) {
      this.counters.unknownEvents++;
      return false;
    }
    if (isOld) {
      this.upgrade ??= new RecordUpgrade(SMALL_EVENT_BODY_BYTES_MAX);
      const { upgrade } = this;
      if (!upgrade.upgrade(bytes, view, at, bodyBytes)) this.failAt(upgrade.problem, at);
      bytes = upgrade.bytes;
      view = upgrade.view;
      at = 0;
    } else {
      const problem = checkRecord(view, at, bodyBytes);
      if (problem !== undefined) this.failAt(problem, at);
    }
    const result = this.converter.convert(bytes, view, at);
    if (result === CONVERT_DROP) {
      this.counters.absorbedEvents++;
      this.isLeading = false;
      return false;
    }
    if (result === CONVERT_FAILED) this.failAt(this.converter.problem, recordAt);
    if (result === CONVERT_DONE) {
      bytes = this.converter.bytes;
      view = this.converter.view;
      at = 0;
    }
    // Not `attach`, which makes a new view: converted and unconverted records alternate.
    record.bytes = bytes;
    record.view = view;
    record.load(at, cpu, flags);
    this.number(record);
    return true;
  }

  /**
   * Gives the record its number, and marks what users never see: the initial state that the file holds as events, and
   * the enter records that still pass because state needs them.
   */
  private number(record: EventRecord): void {
    const { type, info } = record;
    if (this.isLeading) {
      if (INITIAL_STATE_TYPES[type] === 1) {
        record.flags |= FLAG_STATE_ONLY;
        // Numbers run on over sections, and the initial state of later ones has none of its own.
        if (this.sections === 1) this.eventNumber++;
        record.num = this.eventNumber;
        return;
      }
      this.isLeading = false;
    }
    this.eventNumber++;
    record.num = this.eventNumber;
    if (info.isEnter && (info.flags & EF_CONVERTER_MANAGED) !== 0) record.flags |= FLAG_STATE_ONLY;
  }

  /** After the first event only another section may follow; anything else is damage. */
  private startSection(): void {
    const { view, start } = this.window;
    const type = view.getUint32(start, true);
    if (type !== SHB) {
      this.fail(`block type ${hexId(type)}, expected an event block or a section header ${hexId(SHB)}`, 0);
    }
    this.isInState = true;
  }

  /** Reads blocks up to the section's first event block. NEXT_EVENT: it is at the window's start. */
  private readState(): NextResult {
    const { window } = this;
    for (;;) {
      if (this.skippedLength > 0) {
        if (!this.passSkipped()) return this.starve(1, 'a block of unknown type');
        continue;
      }
      if (window.available < BLOCK_HEADER_BYTES) {
        if (window.available === 0 && this.sections === 0 && this.hasEnded()) {
          this.fail('the file is empty, expected a section header block', 0);
        }
        return this.starve(BLOCK_HEADER_BYTES, 'a block header');
      }
      const type = window.view.getUint32(window.start, true);
      const length = window.view.getUint32(window.start + 4, true);
      if (this.sections === 0 && type !== SHB) {
        this.fail(`not a capture file: first block is ${hexId(type)}, expected ${hexId(SHB)}`, 0);
      }
      if (isEventBlock(type)) {
        this.isInState = false;
        if (this.sections > 1) this.sink?.onSectionReady?.();
        return NEXT_EVENT;
      }
      if (length < BLOCK_BYTES_MIN) {
        this.fail(`block of ${length} bytes, expected at least ${BLOCK_BYTES_MIN}`, 4);
      }
      if (!isStateBlock(type)) {
        this.skippedLength = length;
        this.skipBytes = length - BLOCK_TRAILER_BYTES;
        continue;
      }
      if (length > this.limits.blockBytesMax) {
        this.fail(`block of ${length} bytes, expected at most ${this.limits.blockBytesMax}`, 4);
      }
      if (window.available < length) return this.starve(length, `block ${hexId(type)}`);
      this.takeStateBlock(type, length);
    }
  }

  private takeStateBlock(type: number, length: number): void {
    const { window } = this;
    const trailer = window.view.getUint32(window.start + length - BLOCK_TRAILER_BYTES, true);
    if (trailer !== length) {
      this.fail(`block length ${trailer} at its end, expected ${length}`, length - BLOCK_TRAILER_BYTES);
    }
    try {
      if (type === SHB) {
        readSectionHeader(window, length);
        this.sections++;
        this.isLeading = true;
        this.converter.clear();
        if (this.sections > 1) this.sink?.onSectionStart?.();
      } else if (this.sink !== undefined) {
        readStateBlock(window, type, length, this.sink);
      }
    } catch (error) {
      if (error instanceof CaptureError) this.failure = error;
      throw error;
    }
    window.start += length;
  }

  /** Passes over a block of unknown type as its bytes come, without ever holding it. False: more bytes are needed. */
  private passSkipped(): boolean {
    const { window } = this;
    const passed = Math.min(this.skipBytes, window.available);
    window.start += passed;
    this.skipBytes -= passed;
    if (this.skipBytes > 0 || window.available < BLOCK_TRAILER_BYTES) return false;
    const trailer = window.view.getUint32(window.start, true);
    if (trailer !== this.skippedLength) {
      this.fail(`block length ${trailer} at its end, expected ${this.skippedLength}`, 0);
    }
    window.start += BLOCK_TRAILER_BYTES;
    this.skippedLength = 0;
    return true;
  }

  private hasEnded(): boolean {
    return this.source === undefined || this.source.isEnded;
  }

  /** The window holds less than `need` bytes: ask for more, or judge how the file ends. */
  private starve(need: number, what: string): NextResult {
    if (!this.hasEnded()) {
      this.needBytes = need;
      return NEXT_NEED_MORE;
    }
    const { window, source } = this;
    const { available } = window;
    const damage = source?.damage;
    if (damage !== undefined) this.fail(damage, available);
    if (available === 0 && this.skippedLength === 0) return NEXT_END;
    const missing = this.skippedLength > 0 ? this.skipBytes + BLOCK_TRAILER_BYTES : need;
    this.fail(`the file ends inside ${what}: expected ${missing} bytes, found ${available}`, available);
  }

  /** `ahead`: bytes from the window's start to the damage. */
  private fail(message: string, ahead: number): never {
    this.failAt(message, this.window.start + ahead);
  }

  private failAt(message: string, at: number): never {
    this.failure = new CaptureError(message, this.window.base + at);
    throw this.failure;
  }
}
