/**
 * Turns records of older schemas into records of today's, so that everything above sees one schema: an exit record that
 * also carries what its enter record knew. Rules are data (converter-rules.ts); a record goes through rule after rule until
 * none applies. Enter records are kept per thread until their exit arrives.
 */

import { containerJson } from './container-json.ts';
import {
  CONVERSION_RULES,
  type ConversionRule,
  FROM_CONTAINER_JSON,
  FROM_EMPTY,
  FROM_ENTER,
  FROM_ENTER_OR_EMPTY,
  FROM_OLD,
  FROM_OLD_DYNAMIC,
  type ParamSource,
  RULE_APPEND,
  RULE_PASS,
  RULE_STORE,
  RULE_STORE_AND_PASS,
} from './converter-rules.ts';
import { EVENT_HEADER_BYTES } from './event-record.ts';
import {
  EF_CONVERTER_MANAGED,
  EF_OLD_VERSION,
  EF_UNUSED,
  EVENT_TABLE,
  type EventInfo,
} from './event-table.ts';
import { PPM_EVENT_MAX } from './event-types.ts';
import { fixedWidth, isIdentityType } from './param-width.ts';
import { StoredEnters, type StoredEntersLimits } from './stored-enters.ts';

/** The record is of today's schema as it is. */
export const CONVERT_PASS = 0;
/** The converter's `bytes` hold the record as it is today, from offset 0. */
export const CONVERT_DONE = 1;
/** The record is not for anybody: unused ids, and enter records whose content went into their exit. */
export const CONVERT_DROP = 2;
/** The record fits no rule; `problem` says why. */
export const CONVERT_FAILED = 3;
export type ConvertResult = 0 | 1 | 2 | 3;

/** A converted record is at most this long. */
export const CONVERTED_BYTES_MAX = 65_536;
/** Rules one record may go through; the longest chain today has 17. */
const STEPS_MAX = 50;
/** Room for a write that is checked against the limit only afterwards. */
const SLACK_BYTES = 64;

const KIND_PASS = 0;
const KIND_DROP = 1;
/** An exit type of today: convert only if parameters are missing. */
const KIND_CURRENT_EXIT = 2;
const KIND_CONVERT = 3;

/** What the type alone says about a record. */
function kindOf(info: EventInfo): number {
  const { flags } = info;
  if ((flags & EF_UNUSED) !== 0) return KIND_DROP;
  if ((flags & EF_CONVERTER_MANAGED) === 0) return (flags & EF_OLD_VERSION) === 0 ? KIND_PASS : KIND_DROP;
  return info.isEnter || (flags & EF_OLD_VERSION) !== 0 ? KIND_CONVERT : KIND_CURRENT_EXIT;
}

const KINDS: Uint8Array = Uint8Array.from(EVENT_TABLE, kindOf);

/** Rules by type, then by parameter count. */
const RULES: readonly (readonly (ConversionRule | undefined)[] | undefined)[] = (() => {
  const byType: (ConversionRule | undefined)[][] = [];
  for (const rule of CONVERSION_RULES) {
    let byCount = byType[rule.type];
    if (byCount === undefined) {
      byCount = [];
      byType[rule.type] = byCount;
    }
    byCount[rule.paramCount] = rule;
  }
  return Array.from({ length: PPM_EVENT_MAX }, (_, type) => byType[type]);
})();

interface Scratch {
  readonly bytes: Buffer;
  readonly view: DataView;
}

function newScratch(): Scratch {
  const bytes = Buffer.alloc(CONVERTED_BYTES_MAX + SLACK_BYTES);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/** Copies without making a view of the source: most values are a few bytes. */
function copyBytes(from: Buffer, start: number, length: number, to: Buffer, at: number): void {
  if (length > 64) {
    from.copy(to, at, start, start + length);
    return;
  }
  for (let i = 0; i < length; i++) to[at + i] = from[start + i] as number;
}

export class EventConverter {
  /** Why the last record could not be converted; '' otherwise. */
  problem: string;
  /** Enter records kept until their exit arrives. */
  readonly stored: StoredEnters;
  /** Two buffers that take turns: a rule reads from one and writes to the other. */
  private readonly first: Scratch;
  private readonly second: Scratch;
  private current: Scratch;
  /** Where the next value goes in the record being written. */
  private at: number;

  constructor(limits?: StoredEntersLimits) {
    this.problem = '';
    this.stored = new StoredEnters(limits);
    this.first = newScratch();
    this.second = newScratch();
    this.current = this.first;
    this.at = 0;
  }

  /** The converted record from offset 0, after CONVERT_DONE and until the next call. */
  get bytes(): Buffer {
    return this.current.bytes;
  }

  get view(): DataView {
    return this.current.view;
  }

  /** Forgets every stored enter record. */
  clear(): void {
    this.stored.clear();
  }

  /** Converts the checked record at `offset`, whose type is below PPM_EVENT_MAX. */
  convert(bytes: Buffer, view: DataView, offset: number): ConvertResult {
    const type = view.getUint16(offset + 20, true);
    switch (KINDS[type]) {
      case KIND_PASS:
        return CONVERT_PASS;
      case KIND_DROP:
        return CONVERT_DROP;
      case KIND_CURRENT_EXIT:
        if (view.getUint32(offset + 22, true) >= (EVENT_TABLE[type] as EventInfo).params.length) {
          return CONVERT_PASS;
        }
        break;
      default:
        break;
    }
    return this.apply(bytes, view, offset);
  }

  private apply(bytes: Buffer, view: DataView, offset: number): ConvertResult {
    let fromBytes = bytes;
    let fromView = view;
    let fromOffset = offset;
    let result: ConvertResult = CONVERT_PASS;
    for (let step = 0; step < STEPS_MAX; step++) {
      const type = fromView.getUint16(fromOffset + 20, true);
      const kind = KINDS[type];
      if (kind === KIND_DROP) return CONVERT_DROP;
      if (kind === KIND_PASS) return result;
      const info = EVENT_TABLE[type] as EventInfo;
      const count = fromView.getUint32(fromOffset + 22, true);
      if (kind === KIND_CURRENT_EXIT && count >= info.params.length) return result;
      const rule = RULES[type]?.[count];
      if (rule === undefined) return this.withoutRule(info, count, result);
      switch (rule.action) {
        case RULE_PASS:
          return result;
        case RULE_STORE_AND_PASS:
          this.stored.put(fromBytes, fromView, fromOffset);
          return result;
        case RULE_STORE:
          this.stored.put(fromBytes, fromView, fromOffset);
          return CONVERT_DROP;
        default:
          break;
      }
      const target = this.current === this.first ? this.second : this.first;
      if (!this.build(rule, fromBytes, fromView, fromOffset, target)) return CONVERT_FAILED;
      this.current = target;
      fromBytes = target.bytes;
      fromView = target.view;
      fromOffset = 0;
      result = CONVERT_DONE;
    }
    this.problem = `more than ${STEPS_MAX} conversions`;
    return CONVERT_FAILED;
  }

  /** A record the rules do not know by its parameter count. */
  private withoutRule(info: EventInfo, count: number, result: ConvertResult): ConvertResult {
    if ((info.flags & EF_OLD_VERSION) === 0) return result; // readers take missing parameters as empty
    if (info.isEnter) return CONVERT_DROP;
    this.problem = `${info.code} with ${count} parameters is of no known schema`;
    return CONVERT_FAILED;
  }

  private build(rule: ConversionRule, bytes: Buffer, view: DataView, offset: number, to: Scratch): boolean {
    const oldInfo = EVENT_TABLE[rule.type] as EventInfo;
    const newInfo = EVENT_TABLE[rule.newType] as EventInfo;
    const kept = rule.action === RULE_APPEND ? rule.paramCount : 0;
    const count = kept + rule.sources.length;
    const lengthSize = newInfo.lengthSize;
    const valuesAt = EVENT_HEADER_BYTES + count * lengthSize;
    copyBytes(bytes, offset, EVENT_HEADER_BYTES, to.bytes, 0);
    to.view.setUint16(20, rule.newType, true);
    to.view.setUint32(22, count, true);
    this.at = valuesAt;
    if (kept > 0) {
      const lengthsBytes = kept * lengthSize;
      copyBytes(bytes, offset + EVENT_HEADER_BYTES, lengthsBytes, to.bytes, EVENT_HEADER_BYTES);
      const from = offset + EVENT_HEADER_BYTES + lengthsBytes;
      const length = offset + view.getUint32(offset + 16, true) - from;
      if (!this.fits(length)) return false;
      copyBytes(bytes, from, length, to.bytes, valuesAt);
      this.at = valuesAt + length;
    }
    const enter = rule.usesEnter ? this.stored.find(view, offset, rule.type - 1) : undefined;
    let usedEnter = false;
    for (let i = 0; i < rule.sources.length; i++) {
      const source = rule.sources[i] as ParamSource;
      const index = kept + i;
      const type = newInfo.params[index]?.type ?? 'NONE';
      let written = 0;
      switch (source.from) {
        case FROM_OLD:
        case FROM_OLD_DYNAMIC:
          written = this.copyParam(bytes, view, offset, oldInfo.lengthSize, source, type, to);
          break;
        case FROM_ENTER:
        case FROM_ENTER_OR_EMPTY:
          if (enter !== undefined) {
            written = this.copyParam(enter.bytes, enter.view, 0, 2, source, type, to);
            usedEnter = true;
          } else if (source.from === FROM_ENTER) {
            written = this.writeZero(type, to);
          }
          break;
        case FROM_CONTAINER_JSON:
          written = this.writeText(containerJson(bytes, view, offset), to);
          break;
        case FROM_EMPTY:
          break;
        default:
          written = this.writeZero(type, to);
      }
      if (written < 0) return false;
      if (lengthSize === 2) to.view.setUint16(EVENT_HEADER_BYTES + index * 2, written, true);
      else to.view.setUint32(EVENT_HEADER_BYTES + index * 4, written, true);
    }
    if (usedEnter) enter?.release();
    to.view.setUint32(16, this.at, true);
    return true;
  }

  private fits(length: number): boolean {
    if (this.at + length <= CONVERTED_BYTES_MAX) return true;
    this.problem = `the converted record is longer than ${CONVERTED_BYTES_MAX} bytes`;
    return false;
  }

  /** Copies parameter `index` of a record; returns its length, or -1 when the record grows too long. */
  private copyParam(
    bytes: Buffer,
    view: DataView,
    offset: number,
    lengthSize: 2 | 4,
    source: ParamSource,
    type: EventInfo['params'][number]['type'],
    to: Scratch,
  ): number {
    const count = view.getUint32(offset + 22, true);
    const { index } = source;
    if (index >= count) return 0;
    let at = offset + EVENT_HEADER_BYTES + count * lengthSize;
    let length = 0;
    for (let i = 0, p = offset + EVENT_HEADER_BYTES; i <= index; i++, p += lengthSize) {
      at += length;
      length = lengthSize === 2 ? view.getUint16(p, true) : view.getUint32(p, true);
    }
    if (source.from === FROM_OLD_DYNAMIC && length > 0) {
      at++;
      length--;
    }
    // A parameter that became narrower keeps its low bytes.
    const width = fixedWidth(type);
    if (width > 0 && length > width) length = width;
    if (!this.fits(length)) return -1;
    copyBytes(bytes, at, length, to.bytes, this.at);
    this.at += length;
    return length;
  }

  private writeZero(type: EventInfo['params'][number]['type'], to: Scratch): number {
    const width = fixedWidth(type);
    if (!this.fits(width)) return -1;
    to.bytes.fill(isIdentityType(type) ? 0xff : 0, this.at, this.at + width);
    this.at += width;
    return width;
  }

  private writeText(text: string, to: Scratch): number {
    const length = text.length + 1;
    if (!this.fits(length)) return -1;
    to.bytes.latin1Write(text, this.at, text.length);
    to.bytes[this.at + text.length] = 0;
    this.at += length;
    return length;
  }
}
