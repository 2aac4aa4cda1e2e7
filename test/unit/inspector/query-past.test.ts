import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldValue, FieldValueList } from '../../../proto/gen/strata/v1/value.ts';
import { SavefileEngine } from '../../../server/capture/savefile/savefile-engine.ts';
import { PPM_EVENT_MAX } from '../../../server/event/event-types.ts';
import { FIELD_ROWS } from '../../../server/fields/catalogue.ts';
import { FieldError } from '../../../server/fields/field.ts';
import { type BoundField, bindField } from '../../../server/fields/field-reference.ts';
import { fieldValueMessage } from '../../../server/inspector/field-schema.ts';
import { Inspector } from '../../../server/inspector/inspector.ts';
import { answerQuery } from '../../../server/inspector/query/answer-query.ts';
import { DEFAULT_STATE_LIMITS, OsState } from '../../../server/state/os-state.ts';
import {
  capturePath,
  type GoldenEvent,
  type GoldenValue,
  hasGolden,
  readGolden,
} from '../../helpers/golden.ts';

const BATCH = 1000;

/** Fields of the reference output whose values change most: enough to tell one moment from another. */
const TELLING_FIELDS = [
  'evt.num',
  'evt.rawtime',
  'evt.rawres',
  'evt.latency',
  'proc.name',
  'proc.exepath',
  'proc.cmdline',
  'proc.pid',
  'proc.ppid',
  'proc.pname',
  'proc.aname[2]',
  'proc.cwd',
  'proc.duration',
  'proc.vpid',
  'proc.fdopencount',
  'thread.tid',
  'thread.cgroups',
  'fd.num',
  'fd.name',
  'fd.ino',
  'user.name',
  'group.name',
];

/** Arguments for rows that need one: an event type, a parameter, an index. */
const ARGUMENTS = ['open', 'res', '1'];

/** One reference per row of the catalogue; rows that count over events are not about one moment. */
function allFields(): string[] {
  return FIELD_ROWS.filter(({ fieldClass }) => fieldClass !== 'util').map(
    ({ name, argument }) =>
      ['', ...ARGUMENTS.map((text) => `[${text}]`)]
        .map((brackets) => `${name}${brackets}`)
        .find((reference) => (reference === name) !== argument.endsWith('required') && binds(reference)) ??
      assert.fail(`no argument fits ${name}`),
  );
}

function binds(reference: string): boolean {
  try {
    bindField(reference);
    return true;
  } catch (error) {
    if (error instanceof FieldError) return false;
    throw error;
  }
}

interface Replayed {
  readonly inspector: Inspector;
  /** Values of every event in the loop, by event number. */
  readonly live: ReadonlyMap<number, readonly FieldValue[]>;
}

async function replayKeeping(name: string, fields: readonly BoundField[]): Promise<Replayed> {
  const engine = new SavefileEngine({ path: capturePath(name) });
  const state = new OsState({ ...DEFAULT_STATE_LIMITS, undoEntriesMax: 100_000 });
  const inspector = new Inspector(state, engine, { eventsMax: 32_768, bytesMax: 1 << 26 });
  const live = new Map<number, readonly FieldValue[]>();
  inspector.addReader({
    eventTypes: new Uint8Array(PPM_EVENT_MAX).fill(1),
    isHolding: false,
    onEvent(event) {
      live.set(
        event.record.num,
        fields.map(({ row, extract }) => fieldValueMessage(row.type, extract(event))),
      );
    },
  });
  await inspector.open();
  for (let result = inspector.run(BATCH); result !== 'ended'; result = inspector.run(BATCH)) {
    if (result === 'need-input') await inspector.fill();
  }
  await engine.close();
  assert.equal(inspector.error, undefined);
  return { inspector, live };
}

/** Calls `check` with the values that extraction gives for every event, after all have passed. */
function extractAll(
  { inspector, live }: Replayed,
  fields: readonly string[],
  check: (num: number, values: readonly FieldValue[]) => void,
): void {
  const context = { inspector, nodeName: '', captureName: '', subscriptionCount: () => 0 };
  const nums = [...live.keys()];
  for (let at = 0; at < nums.length; at += BATCH) {
    const part = nums.slice(at, at + BATCH);
    const targets = part.map((num) => ({ key: { $case: 'eventNumber', value: BigInt(num) } as const }));
    const { rows } = answerQuery('extractFields', { fields, targets, scope: undefined }, context);
    part.forEach((num, i) => {
      assert.equal(rows[i]?.error, undefined);
      check(num, rows[i]?.values ?? []);
    });
  }
}

/** Names of the fields that differ. */
function differences(
  fields: readonly string[],
  a: readonly FieldValue[],
  b: readonly FieldValue[] | undefined,
): string[] {
  return fields.filter((_, i) => !isEqual(a[i], b?.[i]));
}

function isEqual(a: FieldValue | undefined, b: FieldValue | undefined): boolean {
  const x = a?.kind;
  const y = b?.kind;
  if (x?.$case === 'bytesValue' && y?.$case === 'bytesValue') return x.value.equals(y.value);
  if (x?.$case === 'listValue' && y?.$case === 'listValue') {
    // Which kinds of fd a process has open is a set: the past gives it in an order of its own.
    return itemsOf(x.value).join() === itemsOf(y.value).join();
  }
  return x?.$case === y?.$case && x?.value === y?.value;
}

function itemsOf({ values }: FieldValueList): string[] {
  return values.map(({ kind }) => String(kind?.value)).sort();
}

const skip = hasGolden() ? false : 'there is no ../shared with captures and reference output';

for (const name of ['connect_localhost', 'curl_google', 'test_ipv6_client']) {
  test(`${name}: every field of every event stays as it was shown`, { skip }, async () => {
    const names = allFields();
    const replayed = await replayKeeping(name, names.map(bindField));
    extractAll(replayed, names, (num, values) => {
      assert.deepEqual(differences(names, values, replayed.live.get(num)), [], `event ${num}`);
    });
  });
}

for (const name of ['live-ns', 'live-users', 'live-enter-exit-python', 'run_as_user_0_container']) {
  test(`${name}: telling fields of every event equal the reference after the replay`, { skip }, async () => {
    const replayed = await replayKeeping(name, TELLING_FIELDS.map(bindField));
    const golden = new Map<number, GoldenEvent>();
    for (const event of readGolden(name)) golden.set(Number(event['evt.num']), event);
    extractAll(replayed, TELLING_FIELDS, (num, values) => {
      assert.deepEqual(differences(TELLING_FIELDS, values, replayed.live.get(num)), [], `event ${num}`);
      const expected = golden.get(num);
      TELLING_FIELDS.forEach((field, i) => {
        assert.equal(jsonOf(values[i]), expected?.[field], `event ${num}, ${field}`);
      });
    });
  });
}

function jsonOf(value: FieldValue | undefined): GoldenValue | undefined {
  const kind = value?.kind;
  if (kind?.$case === 'bytesValue') return kind.value.toString('utf8');
  if (typeof kind?.value !== 'bigint') return kind?.value as GoldenValue | undefined;
  const number = Number(kind.value);
  return Number.isSafeInteger(number) ? number : kind.value;
}
