/** Compares one parameter of an event with the argument strace printed. */
import type { ParamRow } from './call-params.ts';
import type { ObservedEvent } from './observed-event.ts';
import { addressOf, numberOf, numbersOf, type StraceCall, textOf, textsOf } from './strace-log.ts';

/** argv bytes of a process that an event carries at most. */
const ARGS_BYTES_MAX = 4096;
/** A path parameter is cut here, as the kernel cuts paths. */
const PATH_BYTES_MAX = 4095;
const SHOWN = 120;

/** What differs, in words; undefined when nothing does. */
export function paramDifference(
  [, arg, kind]: ParamRow,
  call: StraceCall,
  event: ObservedEvent,
  index: number,
): string | undefined {
  const text = call.args[arg];
  const isSuccess = (call.result ?? 0n) >= 0n;
  const { record } = event;
  switch (kind) {
    case 'fd':
    case 's32':
    case 'number':
      return numberDifference(numberOf(text), event, index, kind);
    case 'text':
      return textDifference(text, record.text(index));
    case 'output':
      return isSuccess ? differ(textOf(text) ?? '', record.text(index)) : undefined;
    case 'bytes': {
      // Of a failed write there is data, of a failed read none.
      const wanted = isSuccess ? textOf(text) : undefined;
      // A structure that strace took apart, or nothing was read.
      if (wanted === undefined) return undefined;
      const got = record.binary(index);
      if (got.length === 0 && wanted.length > 0) return `no data, strace has ${wanted.length} bytes`;
      return differ(wanted.slice(0, got.length), got);
    }
    case 'address':
      return addressDifference(addressOf(text), record.binary(index));
    case 'pair0':
    case 'pair1':
      return isSuccess
        ? differ(String(numbersOf(text)[kind === 'pair0' ? 0 : 1]), String(record.signed(index)))
        : undefined;
    case 'argv0':
      return differ(textsOf(text)?.[0] ?? '', record.text(index));
    case 'argv':
      return argvDifference(textsOf(text)?.slice(1) ?? [], record.binary(index));
  }
}

function textDifference(arg: string | undefined, got: string): string | undefined {
  const wanted = textOf(arg);
  // An address: strace could not, or did not care to, read what is there.
  if (wanted === undefined) return arg?.startsWith('0x') === true ? undefined : differ('', got);
  if (arg?.endsWith('"...') === true && got.startsWith(wanted)) return undefined;
  return differ(wanted.slice(0, PATH_BYTES_MAX), got);
}

function numberDifference(
  wanted: bigint | undefined,
  event: ObservedEvent,
  index: number,
  kind: 'fd' | 's32' | 'number',
): string | undefined {
  const bits = event.record.lengthOf(index) * 8;
  // An argument strace did not print (the mode of an open that creates nothing) is zero.
  const value = wanted ?? 0n;
  if (bits === 0) return value === 0n ? undefined : `empty instead of ${value}`;
  if (kind === 'number') {
    return differ(
      String(BigInt.asUintN(bits, value)),
      String(BigInt.asUintN(bits, BigInt(event.record.unsigned(index)))),
    );
  }
  return differ(String(BigInt.asIntN(32, value)), String(event.record.signed(index)));
}

/** Family, then address and port, or path: the record's own encoding. */
function addressDifference(wanted: string | undefined, got: string): string | undefined {
  if (wanted === undefined) return undefined;
  const bytes = Buffer.from(got, 'latin1');
  const family = bytes[0];
  let shown = `family ${family}`;
  if (family === 1) shown = got.slice(1).replace(/(?<=.)\0.*$/s, '');
  else if (family === 2) shown = `${bytes.subarray(1, 5).toString('hex')}:${bytes.readUInt16LE(5)}`;
  else if (family === 10) shown = `${bytes.subarray(1, 17).toString('hex')}:${bytes.readUInt16LE(17)}`;
  // The record has the name of an abstract socket without the NUL that marks it.
  return differ(wanted.replace(/^\0/, ''), shown);
}

function argvDifference(wanted: readonly string[], got: string): string | undefined {
  const run = wanted.map((item) => `${item}\0`).join('');
  if (run === got) return undefined;
  // Cut to the limit: the start must be the same, and no less than the limit must be there.
  const isCut = got.length >= ARGS_BYTES_MAX / 2 && run.length > got.length;
  const start = got.endsWith('\0') ? got.slice(0, -1) : got;
  return isCut && run.startsWith(start) ? undefined : differ(run, got);
}

function differ(wanted: string, got: string): string | undefined {
  if (wanted === got) return undefined;
  return `${JSON.stringify(got.slice(0, SHOWN))} (${got.length}) instead of ${JSON.stringify(wanted.slice(0, SHOWN))} (${wanted.length})`;
}
