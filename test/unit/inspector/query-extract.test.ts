import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExtractTarget } from '../../../proto/gen/strata/v1/extraction_service.ts';
import type { StateScope } from '../../../proto/gen/strata/v1/state.ts';
import { type FieldValue, FieldType as WireType } from '../../../proto/gen/strata/v1/value.ts';
import { asOf, QueryFixture, type Script } from '../../helpers/query-fixture.ts';

const ID = '0123456789abcdef'.repeat(4);
const SHORT = ID.slice(0, 12);
const TS = 1_700_000_000_000_000_000n;

const SCRIPT: Script = {
  threads: [
    { tid: 1, ptid: 0, comm: 'init' },
    { tid: 100, ptid: 1, comm: 'before' },
    { tid: 200, ptid: 100, comm: 'work', uid: 5, cgroups: `cpu=/docker/${ID}\0` },
  ],
  fds: [[100, [{ fd: 3, name: '/etc/passwd' }]]],
  users: [{ uid: 5, gid: 5, name: 'app', homedir: '/', shell: '' }],
  events: [
    { code: 'PPME_SYSCALL_READ_X', params: { res: 1, fd: 3, data: 'x', size: 1 }, tid: 100, ts: TS },
    {
      code: 'PPME_SYSCALL_EXECVE_19_X',
      params: { res: 0, exe: 'after', tid: 100, pid: 100, ptid: 1, comm: 'after', fdlimit: 64 },
      tid: 100,
      ts: TS + 5n,
    },
    { code: 'PPME_SYSCALL_CLOSE_X', params: { res: 0, fd: 3 }, tid: 100, ts: TS + 7n },
    { code: 'PPME_PROCEXIT_1_E', params: { status: 0 }, tid: 100, ts: TS + 9n },
    { code: 'PPME_SYSCALL_CLOSE_X', params: { res: 0, fd: 9 }, tid: 200, ts: TS + 10n },
  ],
};

type Plain = string | number | bigint | boolean | undefined | readonly Plain[];

function plain({ kind }: FieldValue): Plain {
  if (kind?.$case === 'bytesValue') return kind.value.toString('latin1');
  if (kind?.$case === 'listValue') return kind.value.values.map(plain);
  return kind?.value;
}

function extract(
  fixture: QueryFixture,
  fields: readonly string[],
  keys: readonly ExtractTarget['key'][],
  scope?: StateScope,
) {
  const answer = fixture.ask('extractFields', { fields, targets: keys.map((key) => ({ key })), scope });
  return answer.rows.map(({ values, error }) => error ?? values.map(plain));
}

function event(value: bigint): ExtractTarget['key'] {
  return { $case: 'eventNumber', value };
}

function thread(value: bigint): ExtractTarget['key'] {
  return { $case: 'tid', value };
}

test('fields of an event are those it was shown with, in any order of asking', async () => {
  const fixture = await QueryFixture.open(SCRIPT);
  const fields = ['evt.num', 'proc.name', 'fd.name', 'evt.rawtime', 'evt.type'];
  assert.deepEqual(extract(fixture, fields, [3n, 1n, 4n, 2n].map(event)), [
    [3n, 'after', '/etc/passwd', TS + 7n, 'close'],
    [1n, 'before', '/etc/passwd', TS, 'read'],
    [4n, 'after', undefined, TS + 9n, 'procexit'],
    [2n, 'after', undefined, TS + 5n, 'execve'],
  ]);
});

test('what an event was shown with stays while newer events come', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 1);
  for (let i = 0; i < 4; i++) {
    assert.deepEqual(extract(fixture, ['proc.name', 'fd.name'], [event(1n)]), [['before', '/etc/passwd']]);
    fixture.run(1);
  }
});

test('the schema names fields as they were asked for', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const { schema } = fixture.ask('extractFields', {
    fields: ['proc.aname[1]', 'evt.rawtime', 'fd.types'],
    targets: [],
    scope: undefined,
  });
  assert.deepEqual(
    schema.map(({ name, type, isList, fieldClass }) => [name, type, isList, fieldClass]),
    [
      ['proc.aname[1]', WireType.STRING, false, 'proc'],
      ['evt.rawtime', WireType.ABSTIME, false, 'evt'],
      ['fd.types', WireType.STRING, true, 'fd'],
    ],
  );
});

test('a thread answers fields that need no event; others are absent', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 2);
  const fields = ['proc.name', 'thread.tid', 'user.name', 'container.id', 'evt.num', 'evt.type', 'fd.name'];
  assert.deepEqual(extract(fixture, fields, [thread(100n), thread(200n)]), [
    ['after', 100n, 'root', 'host', undefined, undefined, undefined],
    ['work', 200n, 'app', SHORT, undefined, undefined, undefined],
  ]);
});

test('a thread as of an event is what it was, and durations end there', async () => {
  const fixture = await QueryFixture.open(SCRIPT);
  const thread100 = fixture.inspector.state.asOf(3)?.findThread(100);
  assert.ok(thread100 !== undefined);
  thread100.cloneTsNs = TS - 100n;
  const fields = ['proc.name', 'proc.duration'];
  assert.deepEqual(extract(fixture, fields, [thread(100n)], asOf(3)), [['after', 107n]]);
  assert.deepEqual(extract(fixture, ['proc.name'], [thread(100n)], asOf(1)), [['before']]);
  const gone = extract(fixture, fields, [thread(100n)])[0];
  assert.deepEqual(gone, { code: 5, message: 'no thread 100' });
});

test('a container answers its own fields and nothing of a process', async () => {
  const fixture = await QueryFixture.open(SCRIPT);
  const fields = [
    'container.id',
    'container.full_id',
    'container.type',
    'proc.name',
    'thread.tid',
    'evt.num',
  ];
  for (const value of [ID, SHORT]) {
    assert.deepEqual(extract(fixture, fields, [{ $case: 'containerId', value }]), [
      [SHORT, ID, 'docker', undefined, undefined, undefined],
    ]);
  }
});

test('targets that are not found have their error, the others their values', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 2);
  const rows = extract(
    fixture,
    ['proc.name'],
    [
      event(3n),
      event(1n),
      thread(7n),
      { $case: 'containerId', value: 'nope' },
      { $case: 'podUid', value: 'p' },
      thread(1n),
    ],
  );
  const codes = rows.map((row) => ('code' in row ? row.code : row[0]));
  assert.deepEqual(codes, [11, 'before', 5, 5, 5, 'init']);
});

test('an unknown field refuses the call, with its place and what is close', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const { fault } = fixture.refusal('extractFields', {
    fields: ['evt.num', 'proc.nme'],
    targets: [],
    scope: undefined,
  });
  assert.deepEqual([fault.code, fault.field, fault.position], ['INVALID_ARGUMENT', 'fields[1]', 0]);
  assert.equal(fault.suggestions?.includes('proc.name'), true);
});

test('a target without a key refuses the call', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 0);
  const targets = [{ key: undefined }];
  const { fault } = fixture.refusal('extractFields', { fields: [], targets, scope: undefined });
  assert.deepEqual([fault.code, fault.field], ['INVALID_ARGUMENT', 'targets[0]']);
});

test('field lists are compiled once and given up when many others were asked for', async () => {
  const fixture = await QueryFixture.open(SCRIPT, 1);
  const schemaOf = (fields: readonly string[]) =>
    fixture.ask('extractFields', { fields, targets: [], scope: undefined }).schema;
  const first = schemaOf(['proc.name']);
  assert.equal(schemaOf(['proc.name']), first);
  assert.notEqual(schemaOf(['proc.name', 'proc.name']), first);
  for (let i = 0; i < 64; i++) schemaOf([`proc.aname[${i}]`]);
  assert.notEqual(schemaOf(['proc.name']), first);
});
