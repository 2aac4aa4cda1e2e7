/** Integers of an event record as text, in the print formats of the event table. Widths are those of the value itself. */
import type { EventRecord } from '../../event/event-record.ts';
import type { PrintFormat } from '../../event/event-table.ts';

/** Turns the integer parameter at `index` into text. */
export type NumberText = (record: EventRecord, index: number) => string;

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
      return isSigned ? paddedSigned : paddedUnsigned;
    default:
      return isSigned ? decimalSigned : decimalUnsigned;
  }
}

function decimalSigned(record: EventRecord, index: number): string {
  return `${record.signed(index)}`;
}

function decimalUnsigned(record: EventRecord, index: number): string {
  return record.lengthOf(index) >= 4 ? `${record.signed(index)}` : `${record.unsigned(index)}`;
}

function paddedSigned(record: EventRecord, index: number): string {
  return padded(decimalSigned(record, index));
}

function paddedUnsigned(record: EventRecord, index: number): string {
  return padded(decimalUnsigned(record, index));
}

/** Nine digits, a sign counted as one. */
function padded(digits: string): string {
  return digits.startsWith('-') ? `-${digits.slice(1).padStart(8, '0')}` : digits.padStart(9, '0');
}

/** Short signed values are widened to 32 bits before printing, as C does. */
function hexSigned(record: EventRecord, index: number): string {
  if (record.lengthOf(index) >= 4) return hexUnsigned(record, index);
  return ((record.number(index) | 0) >>> 0).toString(16).toUpperCase();
}

function hexUnsigned(record: EventRecord, index: number): string {
  return record.unsigned(index).toString(16).toUpperCase();
}

function octal(record: EventRecord, index: number): string {
  const digits = record.unsigned(index).toString(8);
  return digits === '0' ? digits : `0${digits}`;
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
