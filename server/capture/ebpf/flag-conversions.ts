/** The probe's flag tables: from the pairs of flag-conversion-data.ts to four tables of 256 words each (struct flag_table). */
import { FLAG_DATA } from '../../event/flag-tables.ts';
import {
  type BitConversion,
  CONVERSIONS,
  type Conversion,
  type ConversionName,
  type EnumConversion,
  type Field,
  type NativeValues,
} from './flag-conversion-data.ts';
import type { Architecture } from './syscall-numbers.ts';

export type { ConversionName } from './flag-conversion-data.ts';

/** Room in the probe (FLAG_TABLES_MAX of probe/abi.h). */
export const FLAG_TABLES_MAX = 64;

/** 4 x 256 words: of flag words one table per byte, whose entries are combined; of enumerations one per page of values. */
export type FlagTable = Uint32Array;

const BYTES = 4;
const ENTRIES = 256;
/** High bytes of the values in the first three tables of an enumeration; the fourth begins with the value of all others. */
const ENUM_PAGES = [0, 0x04, 0x42] as const;

const NAMES = Object.keys(CONVERSIONS) as ConversionName[];

/** Index of a conversion in `flagTables()`. */
export function flagTableIndex(name: ConversionName): number {
  return NAMES.indexOf(name) + 1;
}

/** Names of the conversions; the first is that of table 1. */
export function conversionNames(): readonly ConversionName[] {
  return NAMES;
}

/** The tables of the probe. The one at index 0 changes nothing. */
export function flagTables(arch: Architecture): readonly FlagTable[] {
  return [identityTable(), ...NAMES.map((name) => flagTable(CONVERSIONS[name], arch))];
}

/** What the probe makes of a native flag word or enumerator: the same arithmetic as native_to_schema and enum_to_schema there. */
export function nativeToSchema(name: ConversionName, value: number, arch: Architecture): number {
  const conversion = CONVERSIONS[name];
  const table = flagTable(conversion, arch);
  if (!('bits' in conversion)) {
    const page = ENUM_PAGES.findIndex((high) => high === value >>> 8);
    return table[page < 0 ? (BYTES - 1) * ENTRIES : page * ENTRIES + (value & 0xff)] as number;
  }
  let result = 0;
  for (let byte = 0; byte < BYTES; byte++) {
    result |= table[byte * ENTRIES + ((value >>> (8 * byte)) & 0xff)] as number;
  }
  return result >>> 0;
}

function identityTable(): FlagTable {
  return Uint32Array.from(
    { length: BYTES * ENTRIES },
    (_, i) => (i % ENTRIES) << (8 * Math.floor(i / ENTRIES)),
  );
}

function flagTable(conversion: Conversion, arch: Architecture): FlagTable {
  return 'bits' in conversion ? bitTable(conversion, arch) : enumTable(conversion);
}

function bitTable(conversion: BitConversion, arch: Architecture): FlagTable {
  const { schema } = conversion;
  const bits: NativeValues = { ...conversion.bits, ...(arch === 'arm64' ? conversion.arm64 : undefined) };
  const table = new Uint32Array(BYTES * ENTRIES);
  for (const [name, mask] of Object.entries(bits)) {
    addWhere(table, schemaValue(schema, name), (value, byte) => (value & (mask >>> (8 * byte)) & 0xff) !== 0);
  }
  for (const field of conversion.fields ?? []) addField(table, schema, field);
  return table;
}

function addField(table: FlagTable, schema: string, { mask, values, otherwise }: Field): void {
  const byte = Math.floor(Math.log2(mask) / 8);
  const natives = Object.values(values);
  const part = (value: number): number => (value << (8 * byte)) & mask;
  for (const [name, native] of Object.entries(values)) {
    addWhere(table, schemaValue(schema, name), (value, at) => at === byte && part(value) === native);
  }
  if (otherwise === undefined) return;
  addWhere(
    table,
    schemaValue(schema, otherwise),
    (value, at) => at === byte && !natives.includes(part(value)),
  );
}

/** Adds `bits` to the entries of all bytes for which `holds`. */
function addWhere(table: FlagTable, bits: number, holds: (value: number, byte: number) => boolean): void {
  for (let i = 0; i < table.length; i++) {
    if (holds(i % ENTRIES, Math.floor(i / ENTRIES))) table[i] = (table[i] as number) | bits;
  }
}

function enumTable(conversion: EnumConversion): FlagTable {
  const { schema, values, also, sameUpTo, otherwise } = conversion;
  const table = new Uint32Array(BYTES * ENTRIES).fill(otherwise);
  const put = (native: number, name: string): void => {
    const page = ENUM_PAGES.findIndex((high) => high === native >>> 8);
    if (page < 0) throw new RangeError(`${schema}: ${name} has no place in the tables`);
    table[page * ENTRIES + (native & 0xff)] = schemaValue(schema, name);
  };
  for (const [name, native] of schemaEntries(schema)) {
    if (sameUpTo !== undefined && native <= sameUpTo && !(name in values)) put(native, name);
  }
  for (const [name, native] of Object.entries(values)) put(native, name);
  for (const [name, native] of Object.entries(also ?? {})) put(native, name);
  return table;
}

function schemaEntries(schema: string): readonly (readonly [string, number])[] {
  const entries = FLAG_DATA.tables[schema];
  if (entries === undefined) throw new RangeError(`unknown flag table ${schema}`);
  return entries;
}

function schemaValue(schema: string, name: string): number {
  const entry = schemaEntries(schema).find((candidate) => candidate[0] === name);
  if (entry === undefined) throw new RangeError(`${schema} has no ${name}`);
  return entry[1];
}
