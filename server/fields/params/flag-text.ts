/** Flag words, enumerations and file modes as the names of their bits, joined by `|`. */
import { FLAG_DATA, type FlagEntry } from '../../event/flag-tables.ts';

/** Names of a value; '' when no entry fits. */
export type FlagText = (value: number) => string;

/** How a table is walked: as a set of bits, as one exact value, or as the bits of a file mode. */
export type FlagWalk = 'bits' | 'exact' | 'mode';

/** Distinct values remembered per table. Programs use few; the limit keeps hostile input from filling memory. */
const CACHED_VALUES_MAX = 1024;

const WALKS: Readonly<Record<FlagWalk, (entries: readonly FlagEntry[], value: number) => string>> = {
  bits: bitNames,
  exact: exactNames,
  mode: modeNames,
};

const cache = new Map<string, FlagText>();

/** The names of `table` for a 32-bit value. An unknown table names nothing. */
export function flagText(table: string | undefined, walk: FlagWalk): FlagText {
  const entries = table === undefined ? undefined : FLAG_DATA.tables[table];
  if (entries === undefined) return () => '';
  const key = `${walk} ${table}`;
  let text = cache.get(key);
  if (text === undefined) {
    text = remembered(entries, WALKS[walk]);
    cache.set(key, text);
  }
  return text;
}

function remembered(
  entries: readonly FlagEntry[],
  names: (entries: readonly FlagEntry[], value: number) => string,
): FlagText {
  const known = new Map<number, string>();
  return (value) => {
    const old = known.get(value);
    if (old !== undefined) return old;
    const text = names(entries, value);
    if (known.size >= CACHED_VALUES_MAX) known.clear();
    known.set(value, text);
    return text;
  };
}

/** Bits are taken away as they are named, so that an alias or a part of a named group is not named again. */
function bitNames(entries: readonly FlagEntry[], value: number): string {
  let rest = value >>> 0;
  let text = '';
  for (const [name, bits] of entries) {
    const isNamed = bits === 0 ? value === 0 : rest !== 0 && (rest & bits) >>> 0 === bits;
    if (!isNamed) continue;
    rest = (rest & ~bits) >>> 0;
    text = joined(text, name);
    if (bits === value) break;
  }
  return text;
}

/** All aliases of the value are named. */
function exactNames(entries: readonly FlagEntry[], value: number): string {
  let text = '';
  for (const [name, bits] of entries) {
    if (bits === value) text = joined(text, name);
  }
  return text;
}

/** As bits, but the entry that equals the whole value ends the walk even when its bits are already named. */
function modeNames(entries: readonly FlagEntry[], value: number): string {
  let rest = value >>> 0;
  let text = '';
  for (const [name, bits] of entries) {
    if (bits === value) return joined(text, name);
    if (bits === 0 || rest === 0 || (rest & bits) >>> 0 !== bits) continue;
    rest = (rest & ~bits) >>> 0;
    text = joined(text, name);
  }
  return text;
}

function joined(text: string, name: string): string {
  return text === '' ? name : `${text}|${name}`;
}
