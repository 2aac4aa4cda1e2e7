/** Integers of an event record as text, in the print formats of the event table. Widths are those of the value itself. */
import type { EventRecord } from '../../event/event-record.ts';
import type { PrintFormat } from '../../event/event-table.ts';
import type { ByteWriter } from '../byte-writer.ts';

/** Appends the integer parameter at `index`. */
export type NumberText = (record: EventRecord, index: number, out: ByteWriter) => void;

/**
 * 4- and 8-byte values print as signed in decimal whatever their type says: that is how "no limit" and "unchanged" (-1)
 * reach the reader. `isSigned` matters for 1- and 2-byte values only.
 */
export function numberText(format: PrintFormat, isSigned: boolean): NumberText {
  switch (format) {
    case 'HEX':
      return isSigned ? hexSigned : hexUnsigned;
    case 'OCT':
      return octal;
    case '10_PADDED_DEC':
      return (record, index, out) =>
        padded(`${isSigned ? record.signed(index) : wideSigned(record, index)}`, out);
    default:
      return isSigned ? decimalSigned : decimalUnsigned;
  }
}

export function decimalSigned(record: EventRecord, index: number, out: ByteWriter): void {
  if (record.lengthOf(index) !== 8) {
    out.integer(record.number(index));
    return;
  }
  const at = record.paramOffsets[index] as number;
  out.decimalI64(record.view.getUint32(at + 4, true), record.view.getUint32(at, true));
}

/** As its type says, whatever the width. */
export function plainUnsigned(record: EventRecord, index: number, out: ByteWriter): void {
  if (record.lengthOf(index) !== 8) {
    out.integer(record.unsignedNumber(index));
    return;
  }
  const at = record.paramOffsets[index] as number;
  out.decimalU64(record.view.getUint32(at + 4, true), record.view.getUint32(at, true));
}

function decimalUnsigned(record: EventRecord, index: number, out: ByteWriter): void {
  if (record.lengthOf(index) >= 4) decimalSigned(record, index, out);
  else out.integer(record.unsignedNumber(index));
}

function wideSigned(record: EventRecord, index: number): string {
  return `${record.lengthOf(index) >= 4 ? record.signed(index) : record.unsigned(index)}`;
}

/** Nine digits, a sign counted as one. */
function padded(digits: string, out: ByteWriter): void {
  out.latin1(digits.startsWith('-') ? `-${digits.slice(1).padStart(8, '0')}` : digits.padStart(9, '0'));
}

/** Short signed values are widened to 32 bits before printing, as C does. */
function hexSigned(record: EventRecord, index: number, out: ByteWriter): void {
  if (record.lengthOf(index) >= 4) hexUnsigned(record, index, out);
  else out.hexU64(0, record.number(index) >>> 0);
}

function hexUnsigned(record: EventRecord, index: number, out: ByteWriter): void {
  if (record.lengthOf(index) !== 8) {
    out.hexU64(0, record.unsignedNumber(index));
    return;
  }
  const at = record.paramOffsets[index] as number;
  out.hexU64(record.view.getUint32(at + 4, true), record.view.getUint32(at, true));
}

function octal(record: EventRecord, index: number, out: ByteWriter): void {
  const digits = record.unsigned(index).toString(8);
  out.latin1(digits === '0' ? digits : `0${digits}`);
}

/** Six significant digits without trailing zeros, as C's `%g`. */
export function generalText(value: number): string {
  if (value === 0) return '0';
  const [mantissa = '0', exponentText = '0'] = value.toExponential(5).split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return trimZeros(value.toFixed(5 - exponent));
  const sign = exponent < 0 ? '-' : '+';
  return `${trimZeros(mantissa)}e${sign}${Math.abs(exponent).toString().padStart(2, '0')}`;
}

function trimZeros(digits: string): string {
  if (!digits.includes('.')) return digits;
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 48) end--;
  if (digits.charCodeAt(end - 1) === 46) end--;
  return digits.slice(0, end);
}
