/**
 * Compares fields of the event and fd classes with the reference output, capture by capture.
 * `node test/helpers/compare-fields.ts [FIELD-PREFIX] [CAPTURE]`
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SavefileEngine } from '../../server/capture/savefile/savefile-engine.ts';
import type { DynamicValue, Extractor, FieldRow, FieldValue, Scalar } from '../../server/fields/field.ts';
import { Inspector } from '../../server/inspector/inspector.ts';
import { ipText } from '../../server/state/ip-address.ts';
import { OsState } from '../../server/state/os-state.ts';
import { bindField, findRow } from './event-fields.ts';
import {
  capturePath,
  GOLDEN_DIRECTORY,
  type GoldenEvent,
  type GoldenValue,
  goldenNames,
  readGolden,
} from './golden.ts';

interface Column {
  readonly key: string;
  readonly row: FieldRow;
  readonly extract: Extractor;
  equal: number;
  different: number;
}

const EXAMPLES_MAX = 6;

function toJson(row: FieldRow, value: FieldValue): GoldenValue | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return value.map((item) => scalarJson(row.type, row.format, item as Scalar));
  if (typeof value === 'object') {
    const dynamic = value as DynamicValue;
    return scalarJson(dynamic.type, dynamic.format, dynamic.value);
  }
  return scalarJson(row.type, row.format, value as Scalar);
}

function scalarJson(type: string, format: string, value: Scalar): GoldenValue {
  if (type === 'ipaddr') return ipText(value as string);
  if (type === 'ipnet') return '<IPNET>';
  if (typeof value === 'number' || typeof value === 'bigint') {
    return format === 'HEX' ? value.toString(16).toUpperCase() : value;
  }
  return value;
}

function columnsFor(prefix: string): Column[] {
  const names = JSON.parse(readFileSync(join(GOLDEN_DIRECTORY, 'fields.json'), 'utf8')) as string[];
  const columns: Column[] = [];
  for (const name of names) {
    const found = findRow(name);
    if (found === undefined || !name.startsWith(prefix)) continue;
    const key = name.startsWith('evt.abspath') ? 'evt.abspath' : name;
    columns.push({ key, row: found[0], extract: bindField(name, 'json'), equal: 0, different: 0 });
  }
  return columns;
}

function equal(a: GoldenValue | undefined, b: GoldenValue | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => item === b[i]);
  return a === b;
}

async function compareCapture(
  name: string,
  columns: readonly Column[],
  examples: Map<string, string[]>,
): Promise<void> {
  const state = new OsState();
  const engine = new SavefileEngine({ path: capturePath(name) });
  const inspector = new Inspector(state, engine, { eventsMax: 0, bytesMax: 0 });
  await inspector.open();
  const golden = readGolden(name);
  let shown = 0;
  inspector.addReader({
    eventTypes: new Uint8Array(454).fill(1),
    isHolding: false,
    onEvent(event) {
      const next = golden.next();
      if (next.done === true) return;
      const expected: GoldenEvent = next.value;
      shown++;
      if (expected['evt.num'] !== event.record.num) {
        throw new Error(`${name}: event ${event.record.num}, golden has ${String(expected['evt.num'])}`);
      }
      for (const column of columns) {
        const actual = toJson(column.row, column.extract(event));
        const wanted = expected[column.key];
        if (equal(actual, wanted)) column.equal++;
        else {
          column.different++;
          note(
            examples,
            column.key,
            `${name} ${event.record.num} ${event.record.info.name}: ${print(actual)} for ${print(wanted)}`,
          );
        }
      }
    },
  });
  let result = inspector.run(1 << 20);
  while (result === 'need-input' || result === 'budget') {
    await inspector.fill();
    result = inspector.run(1 << 20);
  }
  const rest = [...golden].length;
  console.log(`${name}: ${shown} events, ${rest} missing ${inspector.error?.message ?? ''}`);
}

function print(value: GoldenValue | undefined): string {
  if (value === undefined) return 'nothing';
  return JSON.stringify(typeof value === 'bigint' ? value.toString() : value).slice(0, 300);
}

function note(examples: Map<string, string[]>, key: string, text: string): void {
  const list = examples.get(key) ?? [];
  examples.set(key, list);
  if (list.length < EXAMPLES_MAX) list.push(text);
}

const [prefix = '', only = ''] = process.argv.slice(2);
const columns = columnsFor(prefix);
const examples = new Map<string, string[]>();
for (const name of goldenNames()) {
  if (name.includes(only)) await compareCapture(name, columns, examples);
}
for (const column of columns) {
  if (column.different === 0) continue;
  console.log(`${column.key}: ${column.different} of ${column.different + column.equal} differ`);
  for (const example of examples.get(column.key) ?? []) console.log(`    ${example}`);
}
console.log(
  `${columns.length} fields, ${columns.reduce((sum, c) => sum + c.equal, 0)} cells equal, ${columns.reduce((sum, c) => sum + c.different, 0)} differ`,
);
