import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NEXT_EVENT } from '../../../server/capture/capture-engine.ts';
import { RedactingEngine } from '../../../server/capture/redacting-engine.ts';
import { Redactor } from '../../../server/capture/redaction.ts';
import { EventRecord } from '../../../server/event/event-record.ts';
import type { ThreadEntry } from '../../../server/event/snapshot.ts';
import { threadEntry } from '../../helpers/parser-harness.ts';
import { ScriptEngine } from '../../helpers/script-engine.ts';

function redactor(redactArgs: readonly string[], collectEnv: readonly string[] = []): Redactor {
  return new Redactor({ redactArgs, collectEnv });
}

const run = (...items: readonly string[]): string => items.map((item) => `${item}\0`).join('');

test('a match is blotted out, and as many arguments stay as there were', () => {
  const password = redactor(['--password[= ]\\S+']);
  assert.equal(password.args(run('-u', 'me', '--password=x y')), run('-u', 'me', '*** y'));
  assert.equal(password.args(run('--password', 'secret', 'file')), run('***', '***', 'file'));
  assert.equal(password.args(run('harmless')), run('harmless'));
  assert.equal(password.args(''), '');
});

test('with groups only they are blotted out, every match, one pattern after the other', () => {
  const grouped = redactor(['--password[= ](\\S+)', 'AKIA[0-9A-Z]{4,}']);
  assert.equal(
    grouped.args(run('--password', 'one', '--password=two', 'AKIA12345')),
    run('--password', '***', '--password=***', '***'),
  );
});

test('bytes beyond ASCII are matched as the bytes they are', () => {
  const text = Buffer.from('käse', 'utf8').latin1Slice();
  assert.equal(redactor(['käse']).args(run(text)), run('***'));
});

test('of the environment only what is on the list stays, cleaned too', () => {
  const env = run('HOME=/root', 'TOKEN=abc', 'PATH=/bin', 'NOTHING');
  assert.equal(redactor([]).env(env), '');
  assert.equal(redactor([], ['PATH', 'HOME']).env(env), run('HOME=/root', 'PATH=/bin'));
  assert.equal(redactor(['TOKEN=(.+)'], ['TOKEN']).env(env), run('TOKEN=***'));
});

test('patterns may span the first argument and the next', () => {
  assert.deepEqual(redactor(['^login \\S+']).command('login', run('me', 'x')), ['***', run('***', 'x')]);
});

const EXEC = {
  code: 'PPME_SYSCALL_EXECVE_19_X',
  params: {
    res: 0,
    exe: 'mysql',
    args: Buffer.from(run('-psecret', 'db')),
    tid: 9,
    pid: 9,
    comm: 'mysql',
    env: Buffer.from(run('A=1', 'B=2')),
    trusted_exepath: '/usr/bin/mysql',
  },
  tid: 9,
  cpu: 3,
};
const CLOSE = { code: 'PPME_SYSCALL_CLOSE_X', params: { res: 0, fd: 4 } };

test('records of programs are rewritten, all else is handed through, and the snapshot is cleaned', async () => {
  const script = new ScriptEngine(
    [CLOSE, EXEC, CLOSE, EXEC],
    [{ tid: 9, exe: 'mysql', args: run('-psecret') }],
  );
  const engine = new RedactingEngine(script, redactor(['-p(\\S+)'], ['B']));
  const threads: ThreadEntry[] = [];
  const ignore = (): void => undefined;
  await engine.open({
    onMachine: ignore,
    onInterfaces: ignore,
    onUser: ignore,
    onGroup: ignore,
    onThread: (entry) => threads.push(entry),
    onFds: ignore,
  });
  assert.equal(threads[0]?.args, run('-p***'));
  assert.equal(threads[0]?.exe, threadEntry({ exe: 'mysql' }).exe);
  const record = new EventRecord();
  for (const [index, code] of [CLOSE, EXEC, CLOSE, EXEC].entries()) {
    assert.equal(engine.next(record), NEXT_EVENT);
    assert.equal(record.num, index + 1);
    assert.equal(record.info.code, code.code);
    if (code === CLOSE) {
      assert.equal(record.number(1), 4);
      continue;
    }
    assert.equal(record.text(1), 'mysql');
    assert.equal(record.binary(2), run('-p***', 'db'));
    assert.equal(record.number(3), 9);
    assert.deepEqual(record.textList(15), ['B=2']);
    assert.equal(record.text(27), '/usr/bin/mysql');
    assert.deepEqual([record.tid, record.cpu], [9, 3]);
    const bytes = record.bytes.subarray(record.offset, record.offset + record.length);
    assert.ok(!bytes.includes('secret') && bytes.length === record.length);
  }
  assert.equal(engine.setInterest, undefined);
  await engine.close();
  assert.ok(script.isClosed);
});
