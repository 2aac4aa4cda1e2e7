/** The fields that generated filters compare, and how the reference's JSON shows what conditions compare. */
import { readFileSync } from 'node:fs';

const SHARED = new URL('../../../shared/', import.meta.url);

/** How the values of a field compare. */
export type ValueKind = 'text' | 'integer' | 'double' | 'bool' | 'ip' | 'network' | 'port';

export interface FilterField {
  /** As a condition writes it. */
  readonly name: string;
  readonly kind: ValueKind;
  /** Type in the catalogue: only equal types compare with each other. */
  readonly type: string;
  readonly isList: boolean;
  /** Keys of the golden row that hold its values; all that are there count. */
  readonly keys: readonly string[];
  /** Integers that JSON shows as hex digits. */
  readonly isHex: boolean;
  /** Values may be written as the name of a service. */
  readonly isService: boolean;
  /** Means both ends of a connection, and is in no golden row itself. */
  readonly isEitherEnd: boolean;
  /** May stand in a transformer and on the right of a comparison. */
  readonly isPlain: boolean;
}

/** Golden fields left out: what JSON shows is not what conditions compare. */
const LEFT_OUT: readonly (readonly [RegExp, string])[] = [
  [/^evt\.(time|datetime)(\.s|\.iso8601)?$/, 'compare as text of local time; JSON shows nanoseconds'],
  [
    /^evt\.deltatime/,
    'JSON shows the time since the event before, as the reader of the JSON saw it: always 0',
  ],
  [
    /^evt\.buffer$/,
    'compares raw bytes, shown as dots; leftovers of earlier events where there is no payload',
  ],
  [/ctime_duration_(proc|pidns)_start$/, 'the reference prints a variable it never set'],
  [
    /^proc\.(aname|aexe|aexepath|acmdline|aargs|aenv|apid)$/,
    'compares each ancestor; JSON shows all as one text',
  ],
  [/^evt\.type\.is/, 'compares the event type with its argument; JSON shows nothing'],
];

/** Fields that are never in the JSON, or shown as a word, by the keys that tell their values. */
const DERIVED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'fd.ip': ['fd.cip', 'fd.sip'],
  'fd.port': ['fd.cport', 'fd.sport'],
  'fd.proto': ['fd.cport', 'fd.sport'],
  'fd.net': ['fd.cip', 'fd.sip'],
  'fd.cnet': ['fd.cip'],
  'fd.snet': ['fd.sip'],
  'fd.lnet': ['fd.lip'],
  'fd.rnet': ['fd.rip'],
  'evt.abspath[path]': ['evt.abspath'],
};

const KINDS: Readonly<Record<string, ValueKind>> = {
  string: 'text',
  bool: 'bool',
  double: 'double',
  ipaddr: 'ip',
  ipnet: 'network',
  port: 'port',
};

interface FactRow {
  readonly name: string;
  readonly type: string;
  readonly list: boolean;
  readonly no_rhs?: boolean;
  readonly no_transformer?: boolean;
}

/** All comparable fields that the golden rows were asked for, typed as the list of the reference's fields says. */
export function readFilterFields(): FilterField[] {
  const rows = factRows();
  const names = readJson('golden/fields.json') as string[];
  return names
    .filter((name) => !LEFT_OUT.some(([pattern]) => pattern.test(name)))
    .map((name) => toField(name, rows));
}

function toField(name: string, rows: ReadonlyMap<string, FactRow>): FilterField {
  const row = rowOf(name, rows);
  // The type of a raw argument shows with the event; the one asked for is always a number shown in hex.
  const kind = KINDS[row.type] ?? 'integer';
  return {
    name,
    kind,
    type: row.type,
    isList: row.list,
    keys: DERIVED_KEYS[name] ?? [name],
    isHex: name === 'fd.dev' || row.type === 'dynamic',
    isService: /^fd\.[cslr]?proto$/.test(name),
    isEitherEnd: /^fd\.(ip|port|proto|net)$/.test(name),
    isPlain: row.no_rhs !== true && row.no_transformer !== true && row.type !== 'dynamic',
  };
}

function rowOf(name: string, rows: ReadonlyMap<string, FactRow>): FactRow {
  for (
    let base = name.replace(/\[.*/, '');
    base !== '';
    base = base.slice(0, Math.max(0, base.lastIndexOf('.')))
  ) {
    const row = rows.get(base);
    if (row !== undefined) return row;
  }
  throw new Error(`no field ${name}`);
}

function factRows(): Map<string, FactRow> {
  const classes = readJson('facts/fields.json') as Readonly<Record<string, unknown>>;
  const lists = Object.entries(classes).filter(([name]) => !name.startsWith('_'));
  return new Map(lists.flatMap(([, list]) => list as FactRow[]).map((row) => [row.name, row]));
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, SHARED), 'utf8'));
}
