/** `strata rules`: alerts are what `replay` prints for the same conditions and outputs. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withApp } from '../helpers/app-fixture.ts';
import { lateCapture } from '../helpers/late-capture.ts';
import { type CliResult, CliRunner, QUICK_START } from './cli-process.ts';

/** The system's own Python: the gRPC module is a system package. */
const PYTHON = '/usr/bin/python3';
const hasPython = spawnSync(PYTHON, ['-c', 'import grpc, google.protobuf']).status === 0;

const runner = new CliRunner();
after(() => runner.remove());

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/rules/${name}`, import.meta.url));
const shared = (name: string) =>
  fileURLToPath(new URL(`../../../shared/captures/${name}.scap`, import.meta.url));

const SAMPLE = fixture('sample.yaml');
const LOCAL = fixture('local.yaml');
const WIDE = fixture('wide-output.yaml');
const CAPTURES = [QUICK_START, shared('live-users'), shared('live-shell')];

interface CheckedRule {
  readonly name: string;
  readonly enabled: boolean;
  readonly condition: string;
}

async function checkedRules(files: readonly string[]): Promise<CheckedRule[]> {
  const { stdout, code } = await runner.run(['rules', 'check', '--json', ...files]);
  assert.equal(code, 0);
  return (JSON.parse(stdout.toString()) as { rules: CheckedRule[] }).rules;
}

/** The alerts per rule that the summary tells of. */
function summary({ stderr }: CliResult): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [, count = '', name = ''] of stderr.matchAll(/^strata: +([0-9,]+) {2}(.+)$/gm)) {
    counts.set(name, Number(count.replaceAll(',', '')));
  }
  return counts;
}

async function replayLines(capture: string, condition: string, format: string): Promise<string[]> {
  const { stdout, stderr, code } = await runner.run(['replay', capture, condition, '-p', format]);
  assert.equal(code, 0, stderr);
  return stdout.toString('latin1').split('\n').slice(0, -1);
}

describe('strata rules', { concurrency: 1 }, () => {
  for (const capture of CAPTURES) {
    const skip = existsSync(capture) ? false : 'no ../shared';
    it(`alerts as often as the filters match in ${capture.split('/').at(-1)}`, { skip }, async () => {
      const files = [SAMPLE, LOCAL];
      const run = await runner.run(['rules', 'run', '--all-matches', ...files, '--capture', capture]);
      assert.equal(run.code, 0, run.stderr);
      const counts = summary(run);
      const first = new Map<string, number>();
      const seen = new Set<string>();
      for (const { name, enabled, condition } of await checkedRules(files)) {
        const numbers = enabled ? await replayLines(capture, condition, '*%evt.num') : [];
        assert.equal(counts.get(name) ?? 0, numbers.length, name);
        const unseen = numbers.filter((number) => !seen.has(number));
        if (unseen.length > 0) first.set(name, unseen.length);
        for (const number of numbers) seen.add(number);
      }
      // Of several rules that match an event the first one alerts, unless told otherwise.
      const firstOnly = await runner.run(['rules', 'run', ...files, '--capture', capture]);
      assert.deepEqual(summary(firstOnly), first);
      assert.ok(seen.size > 0);
    });

    it(`renders values as the server does in ${capture.split('/').at(-1)}`, { skip }, async () => {
      const { stdout, code } = await runner.run(['rules', 'run', WIDE, '--capture', capture]);
      assert.equal(code, 0);
      const [rule] = await checkedRules([WIDE]);
      const text = readFileSync(WIDE, 'utf8');
      const output = (/output: >-\n([\s\S]*?)\n {2}priority/.exec(text)?.[1] ?? '')
        .trim()
        .replace(/\n +/g, ' ');
      const lines = await replayLines(capture, rule?.condition ?? '', `*%evt.time: Notice ${output}`);
      assert.ok(lines.length > 10);
      assert.deepEqual(stdout.toString('latin1').split('\n').slice(0, -1), lines);
    });
  }

  it('prints alerts as JSON objects', async () => {
    const run = await runner.run(['rules', 'run', SAMPLE, '-c', QUICK_START, '--json']);
    const alerts = run.stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(alerts.length, 16);
    const secrets = alerts.find(({ rule }) => rule === 'Secret file opened');
    assert.deepEqual(Object.keys(secrets ?? {}), [
      'hostname',
      'output',
      'output_fields',
      'priority',
      'rule',
      'source',
      'tags',
      'time',
    ]);
    const fields = secrets?.['output_fields'] as Record<string, unknown>;
    assert.equal(fields['fd.name'], '/etc/shadow');
    assert.equal(typeof fields['evt.time'], 'number');
    assert.match(String(secrets?.['time']), /^2026-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    assert.match(String(secrets?.['output']), /^\d\d:\d\d:\d\d\.\d{9}: Warning Secrets opened \(user=root /);
    assert.deepEqual(secrets?.['tags'], ['T1003', 'filesystem', 'maturity_sandbox']);
  });

  it('stops after --count alerts', async () => {
    const run = await runner.run(['rules', 'run', SAMPLE, '-c', QUICK_START, '--json', '-n', '3']);
    assert.equal(run.code, 0);
    assert.equal(run.stdout.toString().trimEnd().split('\n').length, 3);
    assert.match(run.stderr, /3 alerts of/);
  });

  it('runs on a server', () =>
    withApp(async ({ socketPath }) => {
      const run = await runner.run(['rules', 'run', SAMPLE, '--target', `unix:${socketPath}`]);
      assert.equal(run.code, 0, run.stderr);
      assert.match(run.stderr, /16 alerts of 3 rules \(3 loaded\) in [0-9,]+ events/);
      assert.match(run.stderr, /rule 'Audit of a cluster' is skipped/);
    }));

  it('runs nothing when a rule has an error, and check ends with 1', async () => {
    const path = join(runner.directory, 'bad.yaml');
    writeFileSync(path, '- rule: r\n  desc: d\n  condition: evt.typ = open\n  output: x\n  priority: INFO\n');
    const run = await runner.run(['rules', 'run', SAMPLE, path, '-c', QUICK_START]);
    assert.equal(run.code, 1);
    assert.equal(run.stdout.length, 0);
    assert.match(
      run.stderr,
      /bad\.yaml:3:14: error: rule 'r': unknown field 'evt\.typ'; did you mean evt\.type/,
    );
    assert.match(run.stderr, /1 error; nothing was run/);
    const check = await runner.run(['rules', 'check', SAMPLE, path]);
    assert.equal(check.code, 1);
    assert.match(
      check.stdout.toString(),
      /4 rules \(1 disabled\), 4 macros, 5 lists, 1 rules skipped, 1 errors/,
    );
    assert.equal((await runner.run(['rules', 'check', SAMPLE])).code, 0);
  });

  it(
    'has an example in Python that does the same',
    { skip: hasPython ? false : 'no python3-grpcio here' },
    () =>
      withApp(async ({ socketPath }) => {
        const example = fileURLToPath(new URL('../../client/examples/one_rule.py', import.meta.url));
        const { stdout } = await promisify(execFile)(PYTHON, [example, `unix:${socketPath}`]);
        const lines = stdout.trimEnd().split('\n');
        assert.equal(lines.length, 2);
        assert.match(
          lines[1] ?? '',
          /^\d+ ns: Warning Secrets opened \(user=demouser file=\/etc\/shadow by=cat \/etc\/shadow result=EACCES\)$/,
        );
      }),
  );

  it('judges the first program of a container by metadata that comes later', async (t) => {
    const capture = lateCapture(t as TestContext);
    const rules = join(dirname(capture), 'late.yaml');
    const rule =
      'condition: evt.type = execve and container.name = name-a, output: "%proc.name in %container.name"';
    writeFileSync(rules, `- {rule: Named, desc: d, priority: NOTICE, ${rule}}\n`);
    const run = await runner.run(['rules', 'run', rules, '--capture', capture]);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout.toString(), /Notice first in name-a\n$/);
    assert.deepEqual([...summary(run)], [['Named', 1]]);
  });

  it('leaves nothing behind', () => assert.deepEqual(runner.leftovers(), []));
});
