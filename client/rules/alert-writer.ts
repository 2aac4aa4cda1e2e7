/** Alerts as lines: `HH:MM:SS.nnnnnnnnn: Priority output`, or Falco's JSON object. */
import { ByteWriter } from '../../server/fields/byte-writer.ts';
import { writeJsonText } from '../../server/fields/render-json-text.ts';
import { toBinaryText } from '../../server/filter/binary-text.ts';
import type { StreamedEvent } from '../event-batch.ts';
import type { Rule } from './compile-rules.ts';
import { type OutputPart, outputFields } from './output-format.ts';
import { ValueWriter } from './value-text.ts';

/** The time of an event as people read it, and in nanoseconds since the epoch. */
const TIME_FIELD = 'evt.time';
const EPOCH_FIELD = 'evt.rawtime';

const NS_PER_SECOND = 1_000_000_000n;
const SPACE = 32;

/** The fields that alerts of these rules show: what the stream is asked for. */
export function alertFields(rules: readonly Rule[]): string[] {
  return [...new Set([TIME_FIELD, EPOCH_FIELD, ...rules.flatMap((rule) => outputFields(rule.output))])];
}

export class AlertWriter {
  private readonly isJson: boolean;
  private readonly out: ByteWriter;
  private readonly fields: Map<string, ValueWriter>;
  /** Of JSON alerts; empty when unknown. */
  hostname: string;

  constructor(isJson: boolean) {
    this.isJson = isJson;
    this.out = new ByteWriter();
    this.fields = new Map();
    this.hostname = '';
  }

  /** One line, its newline included; valid until the next call. */
  line(rule: Rule, event: StreamedEvent): Buffer {
    const { out } = this;
    out.reset();
    if (this.isJson) this.writeObject(rule, event);
    else this.writeText(out, rule, event);
    out.latin1('\n');
    return Buffer.from(out.bytes.subarray(0, out.length));
  }

  private field(name: string): ValueWriter {
    let field = this.fields.get(name);
    if (field === undefined) {
      field = new ValueWriter(name);
      this.fields.set(name, field);
    }
    return field;
  }

  private writeText(out: ByteWriter, rule: Rule, event: StreamedEvent): void {
    this.field(TIME_FIELD).text(event, out);
    out.latin1(`: ${rule.priority} `);
    for (const part of rule.output) this.writePart(out, part, event);
  }

  private writePart(out: ByteWriter, part: OutputPart, event: StreamedEvent): void {
    if (typeof part === 'string') {
      out.latin1(part);
      return;
    }
    const end = out.length + part.width;
    this.field(part.name).text(event, out);
    if (part.width === 0) return;
    if (out.length < end) {
      out.ensure(part.width);
      out.bytes.fill(SPACE, out.length, end);
    }
    out.length = end;
  }

  /** Members are in alphabetical order, as in Falco's output. */
  private writeObject(rule: Rule, event: StreamedEvent): void {
    const { out } = this;
    const text = new ByteWriter();
    this.writeText(text, rule, event);
    out.latin1(`{"hostname":${json(this.hostname)},"output":`);
    writeJsonText(out, text.bytes.toString('latin1', 0, text.length));
    out.latin1(',"output_fields":{');
    const names = new Set([...outputFields(rule.output), TIME_FIELD]);
    [...names].sort().forEach((name, i) => {
      if (i > 0) out.latin1(',');
      writeJsonText(out, name);
      out.latin1(':');
      // Of times that are text for people, JSON has the nanoseconds.
      this.field(name === TIME_FIELD ? EPOCH_FIELD : name).json(event, out);
    });
    out.latin1(`},"priority":${json(rule.priority)},"rule":${json(rule.name)}`);
    out.latin1(`,"source":${json(rule.source)},"tags":${json(rule.tags)}`);
    out.latin1(`,"time":${json(isoTime(event))}}`);
  }
}

/** JSON of a value of the client's own, as a binary string. */
function json(value: unknown): string {
  return toBinaryText(JSON.stringify(value));
}

/** `2026-01-02T03:04:05.123456789Z` */
function isoTime(event: StreamedEvent): string {
  const ns = BigInt(String(event.get(EPOCH_FIELD) ?? 0));
  const seconds = new Date(Number(ns / NS_PER_SECOND) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(ns % NS_PER_SECOND).padStart(9, '0')}Z`;
}
