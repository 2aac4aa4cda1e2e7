import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CliRunner, QUICK_START } from './cli-process.ts';

describe('strata record', () => {
  let cli: CliRunner;
  before(() => {
    cli = new CliRunner();
  });
  after(() => cli.remove());

  const at = (name: string): string => join(cli.directory, name);

  it('makes a capture file that replays like the one it was made from', async () => {
    const { code, stderr } = await cli.run(['record', at('a.scap'), '-c', QUICK_START]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /wrote .*a\.scap: 3,826 events, 74 of state only, 364\.\d kB/);
    const [first, second] = [await cli.run(['replay', QUICK_START]), await cli.run(['replay', at('a.scap')])];
    assert.ok(first.stdout.length > 100_000);
    assert.ok(first.stdout.equals(second.stdout));
    assert.deepEqual(cli.leftovers(), []);
  });

  it('does not overwrite unless told to, and leaves the old file alone when the request is wrong', async () => {
    writeFileSync(at('b.scap'), 'precious');
    const refused = await cli.run(['record', at('b.scap'), '-c', QUICK_START]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /b\.scap exists: --force replaces it/);
    const wrong = await cli.run(['record', '--force', at('b.scap'), 'evt.typ=open', '-c', QUICK_START]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /filter: unknown field 'evt\.typ'.*\n.*\n.*\^/);
    assert.equal(readFileSync(at('b.scap'), 'utf8'), 'precious');
    const forced = await cli.run([
      'record',
      '-f',
      '-n',
      '3',
      at('b.scap'),
      'evt.type=openat',
      '-c',
      QUICK_START,
    ]);
    assert.equal(forced.code, 0);
    assert.match(forced.stderr, /: 3 events/);
    const fresh = await cli.run(['record', at('none.scap'), 'evt.typ=open', '-c', QUICK_START]);
    assert.equal(fresh.code, 2);
    assert.equal(existsSync(at('none.scap')), false);
  });

  it('rotates and keeps the last files', async () => {
    const { code, stderr } = await cli.run([
      'record',
      at('r.scap'),
      '-z',
      '--rotate-size',
      '100kB',
      '--rotate-files',
      '2',
      '-c',
      QUICK_START,
    ]);
    assert.equal(code, 0, stderr);
    const names = readdirSync(cli.directory).filter((name) => name.startsWith('r-'));
    assert.deepEqual(names, ['r-00003.scap', 'r-00004.scap']);
    const last = await cli.run(['replay', at('r-00004.scap'), '-v']);
    assert.equal(last.code, 0, last.stderr);
    assert.ok(last.stdout.length > 1000);
  });

  it('writes to standard output, where other commands read it', async () => {
    const { code, stdout, stderr } = await cli.shell(
      `$STRATA record - -c $CAPTURE 'evt.type = execve' | $STRATA replay /dev/stdin -p %evt.type | sort | uniq -c`,
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout.toString().trim(), /^\d+ execve$/);
  });

  it('a full disk: the place, and a file that can be read up to it', async () => {
    const { code, stderr } = await cli.shell(
      `ulimit -f 150; trap '' XFSZ; $STRATA record ${at('full.scap')} -c $CAPTURE`,
    );
    assert.equal(code, 1, stderr);
    assert.match(stderr, /full\.scap: .*at byte \d+; the file can be read up to byte \d+/);
    const { size } = statSync(at('full.scap'));
    assert.ok(size > 0 && size <= 150 * 1024);
    const replayed = await cli.run(['replay', at('full.scap')]);
    assert.equal(replayed.code, 0, replayed.stderr);
  });

  it('says what is wrong with its options', async () => {
    const cases: [string[], RegExp][] = [
      [['record', at('x.scap'), '--only-command'], /--only-command needs a command/],
      [['record', at('x.scap'), '--'], /expected a command after --/],
      [
        ['record', at('x.scap'), '-c', QUICK_START, '--', 'true'],
        /a command cannot be recorded from a capture file/,
      ],
      [['record', at('x.scap'), '--rotate-files', '3'], /--rotate-files needs/],
      [['record', '-', '--rotate-size', '1MB'], /several files cannot go to standard output/],
      [['record', at('x.scap'), '--size', 'big'], /expected a size such as 10MB/],
      [['record', at('x.scap'), '--duration', '-1s'], /expected a time such as 10s|unknown option/],
    ];
    for (const [args, text] of cases) {
      const { code, stderr } = await cli.run(args);
      assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, text);
    }
    assert.equal(existsSync(at('x.scap')), false);
    const missing = await cli.run(['record', at('no/x.scap'), '-c', QUICK_START]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /no\/x\.scap: no such file/);
  });
});
