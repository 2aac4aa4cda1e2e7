/** What a field is: one catalogue row, and the function it compiles to. */
import type { PrintFormat } from '../event/event-table.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { ByteWriter } from './byte-writer.ts';

/** Type of a field's value, spelled as the catalogue lists it. */
export type FieldType =
  | 'string'
  | 'bool'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint32'
  | 'uint64'
  | 'double'
  | 'abstime'
  | 'reltime'
  | 'ipaddr'
  | 'ipnet'
  | 'port'
  | 'bytes'
  | 'dynamic';

/** Which bracketed argument a field takes: `field[3]` is an index, `field[name]` (or `field.name`) a key. */
export type ArgumentForm =
  | 'none'
  | 'index optional'
  | 'key optional'
  | 'index|key optional'
  | 'index required'
  | 'key required'
  | 'index|key required';

/** Text and addresses are binary strings (one character per byte); addresses have 4 or 16 bytes. */
export type Scalar = string | number | bigint | boolean;

/** A value whose type is known only per event (`evt.rawarg`). */
export interface DynamicValue {
  readonly type: FieldType;
  readonly format: PrintFormat;
  readonly value: Scalar;
}

/** undefined is "absent": printed `<NA>`, `null` in JSON, no row bit on the wire. */
export type FieldValue = Scalar | readonly Scalar[] | DynamicValue | undefined;

/** Reads one field of the event in the loop: memory only, no I/O, throws only on broken invariants. */
export type Extractor = (event: InspectedEvent) => FieldValue;

/** Appends the text of a field. False: the field is absent and nothing was appended. */
export type FieldWriter = (event: InspectedEvent, out: ByteWriter) => boolean;

/** The argument of a field reference, as written between the brackets (or after the dot). */
export interface FieldArgument {
  readonly text: string;
  /** The argument as an index, when it is one. */
  readonly index: number | undefined;
}

export interface FieldRow {
  readonly name: string;
  /** Class the field is listed under: evt, proc, thread, user, group, fd, fdlist, fs.path, container, k8s, k8smeta, syslog. */
  readonly fieldClass: string;
  readonly type: FieldType;
  readonly argument: ArgumentForm;
  readonly isList: boolean;
  readonly format: PrintFormat;
  readonly description: string;
  /** Use only in conditions, not in output. */
  readonly filterOnly?: true | undefined;
  readonly tableOnly?: true | undefined;
  readonly printOnly?: true | undefined;
  readonly deprecated?: true | undefined;
  readonly hidden?: true | undefined;
  /** May not stand on the right of a comparison / in a transformer. */
  readonly noRhs?: true | undefined;
  readonly noTransformer?: true | undefined;
  /** Why the field is always absent in this version, for fields listed ahead of the layer that fills them. */
  readonly unavailable?: string | undefined;
  /**
   * Compiles the field for one argument (undefined: none given). Throws FieldError when the argument does not fit.
   * State a field keeps over events (util.cnt) lives in the closure.
   */
  bind(argument: FieldArgument | undefined): Extractor;
  /**
   * When conditions compare other values than are shown (`proc.aname` without an index: each ancestor's, not all in one
   * text). Several values compare true when one of them does.
   */
  bindFilter?(argument: FieldArgument | undefined): Extractor;
  /** The value that a literal of `=`, `!=`, `in` or `intersects` stands for (`fd.sproto = ssh`), when not itself. */
  valueOfLiteral?(text: string): string;
  /** Values are distances: equal means "at most" (`evt.around[T] = 500`), and unequal "more". */
  readonly isDistance?: true | undefined;
  /** When JSON output differs from the typed value (the time texts, which JSON shows as epoch nanoseconds). */
  bindJson?(argument: FieldArgument | undefined): Extractor;
  /** When text output differs from the typed value (the payload, whose unprintable bytes show as dots): a string. */
  bindText?(argument: FieldArgument | undefined): Extractor;
  /** A shorter way to the same text for output lines and JSON, for fields that would make a string per event. */
  bindWrite?(argument: FieldArgument | undefined): FieldWriter;
}

/** A field reference that cannot be compiled: unknown name, missing or unfit argument. */
export class FieldError extends Error {
  /** Offset of the fault in the text of the field reference. */
  readonly position: number;
  /** Names close to the one given, best first. */
  readonly suggestions: readonly string[];
  /** No field has that name; otherwise something about a known one is wrong. */
  readonly isUnknown: boolean;

  constructor(
    message: string,
    position: number,
    suggestions: readonly string[] = [],
    isUnknown: boolean = false,
  ) {
    super(message);
    this.name = 'FieldError';
    this.position = position;
    this.suggestions = suggestions;
    this.isUnknown = isUnknown;
  }
}
