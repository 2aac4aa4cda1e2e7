/** Short options of an argument list, as getopt(3) reads them. */

/** Which option characters an option string knows. */
export interface OptionTable {
  readonly known: ReadonlySet<string>;
  /** Options that take a value. */
  readonly withValue: ReadonlySet<string>;
}

/** One option found; `value` is undefined for those without, '' when it is missing at the end. */
interface FoundOption {
  readonly name: string;
  readonly value: string | undefined;
}

/** Reads an option string such as `lp:e:`. */
export function parseOptionString(text: string): OptionTable {
  const known = new Set<string>();
  const withValue = new Set<string>();
  for (let i = 0; i < text.length; i++) {
    const option = text[i] as string;
    if (option === ':') continue;
    known.add(option);
    if (text[i + 1] === ':') withValue.add(option);
  }
  return { known, withValue };
}

/**
 * Every option with its value behind it, in order: `-l -p 80` is `l`, `p`, `80`. Unknown options are `?`; an option
 * whose value is missing is the empty text.
 */
export function listOptions(args: readonly string[], table: OptionTable): string[] {
  const found: string[] = [];
  scan(args, table, ({ name, value }) => {
    if (!table.known.has(name)) found.push('?');
    else if (value === undefined) found.push(table.withValue.has(name) ? '' : name);
    else found.push(name, value);
  });
  return found;
}

/** The last value given for one option, its name when it takes none, '' when the value is missing; undefined when absent. */
export function selectOption(
  args: readonly string[],
  table: OptionTable,
  wanted: string,
): string | undefined {
  let selected: string | undefined;
  scan(args, table, ({ name, value }) => {
    if (name !== wanted || !table.known.has(name)) return;
    selected = value ?? (table.withValue.has(name) ? '' : name);
  });
  return selected;
}

/** Ends at `--` and at the first word that is no option; long options are passed over. */
function scan(args: readonly string[], table: OptionTable, onOption: (option: FoundOption) => void): void {
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    if (word === '--' || word.length < 2 || !word.startsWith('-')) return;
    if (word.startsWith('--')) continue;
    for (let at = 1; at < word.length; at++) {
      const name = word[at] as string;
      if (!table.withValue.has(name)) {
        onOption({ name, value: undefined });
        continue;
      }
      // The rest of the word is the value, else the next word.
      const value = at + 1 < word.length ? word.slice(at + 1) : args[++i];
      onOption({ name, value });
      break;
    }
  }
}
