import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaptureEngine } from '../../../proto/gen/strata/v1/node.ts';
import { FieldType } from '../../../proto/gen/strata/v1/value.ts';
import { StrataError } from '../../../server/event/strata-error.ts';
import type { FeedRequest } from '../../../server/inspector/event-feed.ts';
import {
  type CompiledSubscription,
  compileFilters,
  compileSubscription,
} from '../../../server/inspector/subscription-compiler.ts';
import { feedRequest, linesOf } from '../../helpers/feed-recorder.ts';
import { QueryFixture, type Script } from '../../helpers/query-fixture.ts';

const SCRIPT: Script = {
  threads: [{ tid: 1000, comm: 'caf\xc3\xa9' }],
  events: [{ code: 'PPME_SYSCALL_CLOSE_X', params: { res: 0, fd: 4 }, num: 7 }],
};

async function compile(request: Partial<FeedRequest>): Promise<CompiledSubscription> {
  const fixture = await QueryFixture.open(SCRIPT, undefined, { nodeName: 'worker-1' });
  return compileSubscription(feedRequest(request), fixture.context);
}

/** The refusal of a request. */
async function refusal(request: Partial<FeedRequest>): Promise<StrataError['fault']> {
  try {
    await compile(request);
  } catch (error) {
    if (error instanceof StrataError) return error.fault;
    throw error;
  }
  return assert.fail('the request was accepted');
}

/** The lines that the one event of the script becomes. */
async function lines(projection: FeedRequest['projection']): Promise<string[]> {
  const fixture = await QueryFixture.open(SCRIPT);
  const { encoder } = compileSubscription(feedRequest({ projection }), fixture.context);
  encoder.add(fixture.inspector.event);
  const bytes = encoder.finish(0);
  return linesOf({ bytes, count: 1, firstSequence: 0, firstNum: 7, lastNum: 7 });
}

function condition(text: string): Partial<FeedRequest> {
  return { filters: [{ id: 0, name: '', condition: text }] };
}

test('a subscription is told its schema, in the order and the words of the request', async () => {
  const fields = ['proc.aname[2]', 'evt.num', 'fd.types'];
  const { started } = await compile({ projection: { kind: 'typed', fields } });
  assert.deepEqual(
    started.schema.map(({ name, type, isList, fieldClass }) => [name, type, isList, fieldClass]),
    [
      ['proc.aname[2]', FieldType.STRING, false, 'proc'],
      ['evt.num', FieldType.UINT64, false, 'evt'],
      ['fd.types', FieldType.STRING, true, 'fd'],
    ],
  );
});

test('a subscription is told of the node and the source', async () => {
  const { started } = await compile({});
  assert.equal(started.node.nodeName, 'worker-1');
  assert.equal(started.node.hostname, 'node-1');
  assert.equal(started.captureEngine, CaptureEngine.SAVEFILE);
  assert.equal(started.captureName, 'script.scap');
  assert.equal(started.captureBytes, 5000);
  assert.deepEqual(started.schema, []);
});

test('every kind of line ends with a newline and keeps the bytes of names', async () => {
  assert.deepEqual(await lines({ kind: 'text', template: '%evt.num é %proc.name' }), [
    '7 \xc3\xa9 caf\xc3\xa9',
  ]);
  assert.deepEqual(await lines({ kind: 'json', fields: ['evt.num', 'proc.name'] }), [
    '{"evt.num":7,"proc.name":"caf\xc3\xa9"}',
  ]);
  const [preset] = await lines({ kind: 'preset', preset: 'default' });
  assert.match(preset ?? '', /^7 .*close/);
});

test('an unknown field is refused by its place, with what is close', async () => {
  for (const kind of ['typed', 'json'] as const) {
    const fault = await refusal({ projection: { kind, fields: ['evt.num', 'proc.nmae'] } });
    assert.equal(fault.code, 'INVALID_ARGUMENT');
    assert.equal(fault.field, 'fields[1]');
    assert.equal(fault.position, 0);
    assert.equal(fault.suggestions?.[0], 'proc.name');
    assert.match(fault.message, /proc\.nmae/);
  }
});

test('an argument that does not fit is refused by its place in the field', async () => {
  const fault = await refusal({ projection: { kind: 'typed', fields: ['evt.num[3]'] } });
  assert.equal(fault.field, 'fields[0]');
  assert.equal(fault.position, 'evt.num'.length);
});

test('a template is refused by the place of its fault', async () => {
  const fault = await refusal({ projection: { kind: 'text', template: 'num %evt.num %proc.nmae' } });
  assert.equal(fault.code, 'INVALID_ARGUMENT');
  assert.match(fault.field ?? '', /^(output_format|template)$/);
  assert.equal(fault.position, 'num %evt.num %'.length);
  assert.equal(fault.suggestions?.[0], 'proc.name');
});

test('a condition is refused by the filter it belongs to and its place in it', async () => {
  const filters = [
    { id: 0, name: 'good', condition: 'evt.type = open' },
    { id: 1, name: 'bad', condition: 'evt.type = open and (proc.name = ' },
  ];
  const fault = await refusal({ filters });
  assert.equal(fault.code, 'INVALID_ARGUMENT');
  assert.equal(fault.field, 'filters[1].condition');
  assert.ok((fault.position ?? 0) >= 'evt.type = open and (proc.name ='.length);
});

test('an unknown field of a condition is refused with what is close', async () => {
  const fault = await refusal(condition('evt.type = open and fd.nmae = x'));
  assert.equal(fault.field, 'filters[0].condition');
  assert.equal(fault.position, 'evt.type = open and '.length);
  assert.ok(fault.suggestions?.includes('fd.name'));
});

test('filters are compiled in the order of their rows and keep them', () => {
  const rows = [
    { id: 5, name: 'a', condition: 'evt.type = close' },
    { id: 3, name: 'b', condition: '' },
  ];
  const filters = compileFilters(rows);
  assert.deepEqual(
    filters.map(({ row }) => row),
    rows,
  );
  const counts = filters.map(({ compiled }) => compiled.eventTypes.reduce((sum, wanted) => sum + wanted, 0));
  assert.ok((counts[0] ?? 0) < (counts[1] ?? 0));
});
