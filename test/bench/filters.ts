/**
 * Filters without the thread and gRPC around them: nanoseconds per event for one filter, for many asked together, and for
 * the same asked one by one, compiled and walked. `node test/bench/filters.ts [CAPTURE]`
 */
import { fileURLToPath } from 'node:url';
import { parseFieldReference } from '../../server/fields/field-reference.ts';
import { compileFilter, compileTogether, parseFilter } from '../../server/filter/filter.ts';
import { FilterSet } from '../../server/filter/filter-set.ts';
import type { InspectedEvent } from '../../server/state/inspected-event.ts';
import { evaluateNaively, type NaiveFields } from '../helpers/naive-filter.ts';
import { replay } from '../helpers/replay.ts';
import { ONE_RULE, ruleConditions } from '../helpers/rule-conditions.ts';

const CAPTURE = fileURLToPath(new URL('../../../shared/captures/live-enter-exit-git.scap', import.meta.url));
const ROUNDS = 5;
/** Times each event is matched, so that reading it is little beside. */
const REPEATS = 10;

type Matcher = (event: InspectedEvent) => void;

interface Candidate {
  readonly name: string;
  readonly match: Matcher;
  readonly rounds: number;
  readonly repeats: number;
}

function together(conditions: readonly string[]): Matcher {
  const compiled = compileTogether(conditions, (_index, error) => {
    throw error;
  });
  const set = new FilterSet(compiled.map((filter, id) => ({ id, filter })));
  const ids: number[] = [];
  return (event) => {
    if (set.eventTypes[event.record.type] !== 1) return;
    ids.length = 0;
    set.matchInto(event, ids);
  };
}

function apart(conditions: readonly string[]): Matcher {
  const filters = conditions.map((condition) => compileFilter(condition));
  return (event) => {
    for (const filter of filters) filter.matches(event);
  };
}

/** No compilation: the tree is walked for each event, fields are bound beforehand. */
function walked(conditions: readonly string[]): Matcher {
  const asts = conditions.map((condition) => parseFilter(condition));
  const bound = new Map<string, (event: InspectedEvent) => ReturnType<NaiveFields>>();
  return (event) => {
    const fields: NaiveFields = (name, argument) => {
      const key = argument === undefined ? name : `${name}[${argument}]`;
      let read = bound.get(key);
      if (read === undefined) {
        const { row, argument: parsed } = parseFieldReference(key);
        const extract = row.bindFilter === undefined ? row.bind(parsed) : row.bindFilter(parsed);
        read = (shown) => ({
          type: row.type,
          isList: row.isList,
          isFilterOnly: row.filterOnly === true,
          value: extract(shown),
        });
        bound.set(key, read);
      }
      return read(event);
    };
    for (const ast of asts) evaluateNaively(ast, fields);
  };
}

async function measure(path: string, { match, rounds, repeats }: Candidate): Promise<number> {
  const perEvent: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    let events = 0;
    const start = process.hrtime.bigint();
    await replay(path, (event) => {
      for (let i = 0; i < repeats; i++) match(event);
      events++;
    });
    // The first round warms the compiler.
    if (round > 0) perEvent.push(Number(process.hrtime.bigint() - start) / events);
  }
  return Math.min(...perEvent);
}

const path = process.argv[2] ?? CAPTURE;
const rules = ruleConditions(200);
const candidates: readonly Candidate[] = [
  { name: 'no filter', match: () => undefined, rounds: ROUNDS, repeats: REPEATS },
  { name: '1 filter', match: together([ONE_RULE]), rounds: ROUNDS, repeats: REPEATS },
  { name: '200 filters together', match: together(rules), rounds: ROUNDS, repeats: REPEATS },
  { name: '200 filters one by one', match: apart(rules), rounds: ROUNDS, repeats: REPEATS },
  { name: '1 filter, walking the tree', match: walked([ONE_RULE]), rounds: ROUNDS, repeats: REPEATS },
  { name: '200 filters, walking the trees', match: walked(rules), rounds: 1, repeats: 1 },
];
let base = 0;
for (const candidate of candidates) {
  const ns = await measure(path, candidate);
  if (base === 0) base = ns;
  const own = (ns - base) / candidate.repeats;
  console.log(`${candidate.name.padEnd(34)} ${own.toFixed(0).padStart(8)} ns per event`);
}
