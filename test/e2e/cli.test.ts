/** The `strata` command as users run it: a child process on the bundled capture. */
import assert from 'node:assert/strict';
import { closeSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { CliRunner, finish, openPipe, QUICK_START } from './cli-process.ts';

let runner: CliRunner;
before(() => {
  runner = new CliRunner();
});
after(() => {
  const left = runner.leftovers();
  runner.remove();
  assert.deepEqual(left, [], 'every private socket directory has been removed');
});

function lines(output: Buffer): string[] {
  const text = output.toString();
  assert.ok(text === '' || text.endsWith('\n'), 'the output ends with a line end');
  return text === '' ? [] : text.slice(0, -1).split('\n');
}

describe('strata replay', () => {
  it('prints one JSON object per event with exactly the fields asked for, in their order', async () => {
    const fields = 'evt.num,evt.rawtime,proc.name,fd.num,proc.is_exe_writable,evt.arg.flags,proc.aname[2]';
    const { code, stdout, stderr } = await runner.run(['replay', QUICK_START, '--json', '--fields', fields]);
    assert.equal(stderr, '');
    assert.equal(code, 0);
    const rows = lines(stdout);
    assert.ok(rows.length > 3_800);
    for (const row of rows.slice(0, 200)) {
      assert.deepEqual(Object.keys(JSON.parse(row) as object), fields.split(','));
    }
    const first = JSON.parse(rows[0] ?? '') as Record<string, unknown>;
    assert.equal(typeof first['evt.num'], 'number');
    assert.equal(first['proc.aname[2]'], null);
    // 19 digits: more than a double holds.
    assert.match(rows[0] ?? '', /"evt\.rawtime":\d{19},/);
  });

  it('separates values by tabs without --json', async () => {
    const args = ['replay', QUICK_START, '--fields', 'evt.num,proc.name,proc.aname[2]', '--count', '3'];
    const { code, stdout } = await runner.run(args);
    assert.equal(code, 0);
    const rows = lines(stdout);
    assert.equal(rows.length, 3);
    assert.match(rows[0] ?? '', /^\d+\trecord\t<NA>$/);
  });

  it('reads field names from a file', async () => {
    const file = join(runner.directory, 'fields.json');
    writeFileSync(file, '["evt.num", "evt.arg.flags"]');
    const { stdout } = await runner.run(['replay', QUICK_START, '--json', '--fields', `@${file}`, '-n', '1']);
    assert.deepEqual(Object.keys(JSON.parse(stdout.toString()) as object), ['evt.num', 'evt.arg.flags']);
  });

  it('takes the filter in one word or several, before or after options', async () => {
    const fields = ['--fields', 'proc.name,user.name,fd.name'];
    const one = await runner.run([
      'replay',
      QUICK_START,
      'evt.type=openat and fd.name=/etc/shadow',
      ...fields,
    ]);
    const words = ['evt.type', '=', 'openat', 'and', 'fd.name', '=', '/etc/shadow'];
    const many = await runner.run(['replay', ...fields, QUICK_START, ...words]);
    assert.equal(one.code, 0);
    assert.ok(lines(one.stdout).includes('cat\tdemouser\t/etc/shadow'));
    assert.deepEqual(many.stdout, one.stdout);
  });

  it('prints templates, and leaves out lines with absent fields unless told otherwise', async () => {
    const all = await runner.run(['replay', QUICK_START, '-p', '*%evt.num|%fd.name|', '-n', '50']);
    const some = await runner.run(['replay', QUICK_START, '-p', '%evt.num|%fd.name|', '-n', '50']);
    assert.equal(lines(all.stdout).length, 50);
    assert.ok(lines(all.stdout).some((line) => line.endsWith('|<NA>|')));
    assert.ok(lines(some.stdout).length < 50);
    assert.deepEqual(
      lines(some.stdout),
      lines(all.stdout).filter((line) => !line.endsWith('|<NA>|')),
    );
  });

  it('adds the container with -pc', async () => {
    const { stdout } = await runner.run(['replay', QUICK_START, '-pc', '-n', '1']);
    assert.match(lines(stdout)[0] ?? '', /host \(host\) record/);
  });

  it('tells at the end what it read with --verbose', async () => {
    const { stderr } = await runner.run(['replay', QUICK_START, 'evt.type=execve', '-v']);
    assert.match(stderr, /^strata: [\d,]+ events printed, 3,826 read in [\d.]+ s \([\d,]+ events\/s\)\n$/);
  });
});

describe('strata events', () => {
  it('plays the bundled capture where this user may not capture, and says why', async () => {
    // Root loses its privileges for it; others have none.
    const drop = process.getuid?.() === 0 ? 'setpriv --bounding-set=-all --inh-caps=-all ' : '';
    const { code, stdout, stderr } = await runner.shell(`${drop}$STRATA events -n 5`, { STRATA_TARGET: '' });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /live capture is not possible: .{20,}\n.*no server is running.*quick-start\.scap/);
    assert.equal(lines(stdout).length, 5);
  });

  it('plays nothing instead when options of live capture are given', async () => {
    const drop = process.getuid?.() === 0 ? 'setpriv --bounding-set=-all --inh-caps=-all ' : '';
    const { code, stdout, stderr } = await runner.shell(`${drop}$STRATA events -n 5 --snaplen 10`, {
      STRATA_TARGET: '',
    });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /live capture is not possible/);
    assert.equal(stdout.length, 0);
  });

  it('plays a capture by its name, and the bundled one by a word', async () => {
    for (const name of [QUICK_START, 'quick-start']) {
      const { code, stdout } = await runner.run(['events', '-c', name, '-n', '5']);
      assert.equal(code, 0);
      assert.equal(lines(stdout).length, 5);
    }
  });

  it('refuses options of live capture that do not fit, as the server does', async () => {
    const { code, stderr } = await runner.run(['events', '--snaplen', 'many'], { STRATA_TARGET: '' });
    assert.equal(code, 2);
    assert.match(stderr, /--snaplen: expected a whole number/);
  });

  it('fails when the server asked for does not answer', async () => {
    const target = `unix:${join(runner.directory, 'nobody.sock')}`;
    const { code, stderr } = await runner.run(['events', '--target', target]);
    assert.equal(code, 1);
    assert.ok(stderr.includes(`no server answers at ${target}`));
  });
});

describe('errors', () => {
  const usageCases: readonly (readonly [string, readonly string[], RegExp])[] = [
    [
      'an unknown field in a filter',
      ['proc.nam=x'],
      /filter: unknown field 'proc\.nam'.*\n {2}proc\.nam=x\n {2}\^\n.*did you mean proc\.name/,
    ],
    ['a filter that stops too early', ['evt.type', '='], /filter: .*\n {2}evt\.type =\n {12}\^/],
    [
      'an unknown field in --fields',
      ['--json', '--fields', 'evt.num,proc.nam'],
      /field: .*\n {2}proc\.nam\n {2}\^\n.*proc\.name/,
    ],
    [
      'an unknown field in a template',
      ['-p', '%evt.num %proc.nam'],
      /format: .*\n {2}%evt\.num %proc\.nam\n {12}\^/,
    ],
    ['options that exclude each other', ['-p', '%evt.num', '--fields', 'evt.num'], /exclude each other/],
    ['an unknown option', ['--colour'], /unknown option '--colour'/],
    ['a count of nothing', ['-n', '0'], /whole number from 1/],
  ];
  for (const [what, args, pattern] of usageCases) {
    it(`ends with 2 for ${what}`, async () => {
      const { code, stdout, stderr } = await runner.run(['replay', QUICK_START, ...args]);
      assert.match(stderr, pattern);
      assert.equal(stdout.length, 0);
      assert.equal(code, 2);
    });
  }

  it('ends with 1 for a missing file, a directory, and a file that is no capture', async () => {
    const text = join(runner.directory, 'text');
    writeFileSync(text, 'no capture at all, but long enough to be looked at');
    for (const [path, pattern] of [
      ['/nowhere.scap', /\/nowhere\.scap: no such file/],
      [runner.directory, /is a directory/],
      [text, /not a capture/],
    ] as const) {
      const { code, stderr } = await runner.run(['replay', path]);
      assert.match(stderr, pattern);
      assert.equal(code, 1);
    }
  });

  it('prints the events before damage, then the byte offset', async () => {
    const whole = gunzipSync(readFileSync(QUICK_START));
    const damaged = join(runner.directory, 'damaged.scap');
    writeFileSync(damaged, whole.subarray(0, whole.length - 1_000));
    const { code, stdout, stderr } = await runner.run(['replay', damaged, '--fields', 'evt.num']);
    assert.equal(code, 1);
    assert.match(stderr, /damaged\.scap: .*byte \d+/);
    const numbers = lines(stdout).map(Number);
    assert.ok(numbers.length > 3_700);
    assert.ok(stderr.includes(`the last event is ${numbers.at(-1)}`), stderr);
  });
});

describe('ends', () => {
  it('ends quietly when the reader goes away', async () => {
    // The exit code of the command itself, not of the pipe.
    const line = '$STRATA replay $CAPTURE | head -n 1; exit $' + '{PIPESTATUS[0]}';
    const { code, stdout, stderr } = await runner.shell(line);
    assert.equal(stderr, '');
    assert.equal(code, 0);
    assert.equal(lines(stdout).length, 1);
  });

  for (const [signal, expected] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`ends with ${expected} on ${signal} while its reader stalls`, async () => {
      const pipe = openPipe(join(runner.directory, `pipe-${signal}`));
      const child = runner.start(['replay', QUICK_START], {}, pipe.writeFd);
      closeSync(pipe.writeFd);
      // The first bytes are there: the rest is more than a pipe holds, so the replay now waits for its reader.
      while (!pipe.hasBytes()) await sleep(20);
      await sleep(200);
      child.kill(signal);
      const { code } = await finish(child);
      closeSync(pipe.readFd);
      assert.equal(code, expected);
    });
  }

  it('ends with 130 on Ctrl-C while the stream runs', async () => {
    const child = runner.start(['replay', QUICK_START]);
    child.stdout?.once('data', () => child.kill('SIGINT'));
    const { code, stderr } = await finish(child);
    // So small a replay may be over before the signal arrives.
    assert.ok(code === 130 || code === 0, `exit code ${code}: ${stderr}`);
  });
});

describe('strata get', () => {
  it('prints state at the end of a capture and as of an event', async () => {
    const users = await runner.run(['get', 'users', '--capture', QUICK_START]);
    assert.match(users.stdout.toString(), /host +0 +0 +root +\/root +\/bin\/bash/);
    const cat = await runner.run([
      'replay',
      QUICK_START,
      'evt.type=openat and fd.name=/etc/shadow',
      '--fields',
      'evt.num,thread.tid',
    ]);
    const [eventNumber = '', tid = ''] = (lines(cat.stdout).at(-1) ?? '').split('\t');
    const then = await runner.run([
      'get',
      'thread',
      tid,
      '--json',
      '--event',
      eventNumber,
      '--capture',
      QUICK_START,
    ]);
    const thread = JSON.parse(then.stdout.toString()) as {
      readonly comm: string;
      readonly ancestors: readonly unknown[];
    };
    assert.equal(thread.comm, 'cat');
    assert.ok(thread.ancestors.length >= 2);
    const now = await runner.run(['get', 'thread', tid, '--capture', QUICK_START]);
    assert.match(now.stderr, /no thread|has exited/);
    assert.equal(now.code, 1);
  });

  it('prints fds, groups, interfaces and containers', async () => {
    const threads = await runner.run(['get', 'threads', '--json', '--capture', QUICK_START]);
    const bash = lines(threads.stdout)
      .map((line) => JSON.parse(line) as { readonly tid: number; readonly comm: string })
      .find((row) => row.comm === 'bash');
    const fds = await runner.run(['get', 'fds', String(bash?.tid), '--capture', QUICK_START]);
    assert.match(fds.stdout.toString(), /FD +KIND +INODE +NAME\n +0 +file +\d+ +\/dev\/null\n/);
    for (const [what, pattern] of [
      ['groups', /host +0 +root/],
      ['interfaces', /lo +127\.0\.0\.1 +255\.0\.0\.0/],
      ['containers', /^ID +TYPE +NAME +IMAGE/],
    ] as const) {
      const { stdout, code } = await runner.run(['get', what, '--capture', QUICK_START]);
      assert.match(stdout.toString(), pattern);
      assert.equal(code, 0);
    }
  });
});

describe('strata fields', () => {
  it('lists a class as text, JSON lines and markdown', async () => {
    const text = await runner.run(['fields', 'user']);
    assert.match(text.stdout.toString(), /^user\n {2}user\.uid +\(uint32\)\n/);
    const json = await runner.run(['fields', 'proc', '--json']);
    const rows = lines(json.stdout).map(
      (line) => JSON.parse(line) as { readonly name: string; readonly class: string },
    );
    assert.ok(rows.some((row) => row.name === 'proc.aname'));
    assert.ok(rows.every((row) => row.class === 'proc'));
    const markdown = await runner.run(['fields', 'user', '--markdown']);
    assert.match(markdown.stdout.toString(), /^## user\n\n\| field \| type \|/);
  });

  it('suggests a class for one that is misspelt', async () => {
    const { code, stderr } = await runner.run(['fields', 'usr']);
    assert.equal(code, 2);
    assert.match(stderr, /unknown field class 'usr'; did you mean user\?/);
  });
});

describe('strata record-convert', () => {
  it('rewrites a capture that reads the same, plain or compressed', async () => {
    const fields = ['--fields', 'evt.num,evt.type,evt.args,proc.name,fd.name'];
    const original = await runner.run(['replay', QUICK_START, ...fields]);
    for (const option of ['--compress', '--no-compress']) {
      const out = join(runner.directory, `out${option}.scap`);
      const convert = await runner.run(['record-convert', QUICK_START, out, option]);
      assert.match(convert.stderr, /wrote .*: 3,900 events/);
      assert.equal(readFileSync(out).readUInt16BE(0) === 0x1f8b, option === '--compress');
      const again = await runner.run(['replay', out, ...fields]);
      assert.deepEqual(again.stdout, original.stdout);
    }
  });

  it('may replace its input', async () => {
    const file = join(runner.directory, 'same.scap');
    copyFileSync(QUICK_START, file);
    assert.equal((await runner.run(['record-convert', file, file])).code, 0);
    assert.equal(lines((await runner.run(['replay', file, '--fields', 'evt.num'])).stdout).length, 3_826);
  });
});

describe('strata', () => {
  it('prints its version and help', async () => {
    assert.match((await runner.run(['--version'])).stdout.toString(), /^\d+\.\d+\.\d+\n$/);
    for (const args of [['--help'], ['replay', '--help'], ['get', 'thread', '--help'], ['help', 'events']]) {
      const { code, stdout } = await runner.run(args);
      assert.equal(code, 0);
      assert.match(stdout.toString(), /^Usage: strata/);
    }
  });

  it('suggests the command for one that is misspelt', async () => {
    const { code, stderr } = await runner.run(['replai', QUICK_START]);
    assert.equal(code, 2);
    assert.match(stderr, /unknown command 'replai'[\s\S]*replay/);
  });

  it('has nothing to say about the status where no server runs', async () => {
    const { code, stderr } = await runner.run(['status'], { STRATA_TARGET: '' });
    assert.equal(code, 1);
    assert.match(stderr, /no server is running/);
  });
});
