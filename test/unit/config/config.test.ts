import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  type Config,
  ConfigError,
  configWith,
  environmentName,
  formatConfig,
  parseConfig,
} from '../../../server/config/config.ts';
import { OPTION_ROWS, type OptionRow } from '../../../server/config/options.ts';

const folder = mkdtempSync(join(tmpdir(), 'strata-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const FILE = join(folder, 'strata.yaml');

function writeFile(text: string): void {
  writeFileSync(FILE, text);
}

function run(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Config {
  const parsed = parseConfig(args, environment);
  assert.equal(parsed.kind, 'run');
  return parsed.config;
}

function printed(args: readonly string[], environment: NodeJS.ProcessEnv = {}): string {
  const parsed = parseConfig(args, environment);
  assert.equal(parsed.kind, 'print');
  return parsed.text;
}

function fails(args: readonly string[], environment: NodeJS.ProcessEnv, message: RegExp): void {
  assert.throws(
    () => parseConfig(args, environment),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, message);
      return true;
    },
  );
}

/** Fails for a file of this text, with a message behind the file's name. */
function fileFails(text: string, message: RegExp): void {
  writeFile(text);
  fails(['--config', FILE], {}, /^configuration file \/.*strata\.yaml: /);
  fails(['--config', FILE], {}, message);
}

test('without anything said every option has its default', () => {
  const config = run([]);
  for (const row of OPTION_ROWS as readonly OptionRow[]) {
    assert.deepEqual(config[row.name as keyof Config], row.default, row.name);
  }
  assert.deepEqual(configWith({}), config);
});

test('a flag goes before the environment, that before the file, that before the default', () => {
  writeFile('retain-events: 1\nreplays-max: 1\nsubscriptions-max: 1\n');
  const environment = { STRATA_RETAIN_EVENTS: '2', STRATA_REPLAYS_MAX: '2' };
  const config = run(['--config', FILE, '--retain-events', '3'], environment);
  assert.equal(config['retain-events'], 3);
  assert.equal(config['replays-max'], 2);
  assert.equal(config['subscriptions-max'], 1);
  assert.equal(config['users-max'], 65_536);
});

test('the file is named by the environment too, and the flag goes before it', () => {
  writeFile('node-name: from-file\n');
  assert.equal(run([], { STRATA_CONFIG: FILE })['node-name'], 'from-file');
  const other = join(folder, 'other.yaml');
  writeFileSync(other, 'node-name: other\n');
  assert.equal(run(['--config', other], { STRATA_CONFIG: FILE })['node-name'], 'other');
});

test('values of every type come from every place', () => {
  const expected = {
    'capture-speed': 0.5,
    'insecure-loopback': true,
    listen: ['unix:/a', '127.0.0.1:1'],
    'node-name': 'n1',
    'retain-events': 7,
  };
  const pick = (config: Config) =>
    Object.fromEntries(Object.keys(expected).map((name) => [name, config[name as keyof Config]]));
  writeFile(
    'capture-speed: 0.5\ninsecure-loopback: true\nlisten: [unix:/a, "127.0.0.1:1"]\nnode-name: n1\nretain-events: 7\n',
  );
  assert.deepEqual(pick(run(['--config', FILE])), expected);
  assert.deepEqual(
    pick(
      run([], {
        STRATA_CAPTURE_SPEED: '0.5',
        STRATA_INSECURE_LOOPBACK: '1',
        STRATA_LISTEN: 'unix:/a, 127.0.0.1:1',
        STRATA_NODE_NAME: 'n1',
        STRATA_RETAIN_EVENTS: ' 7 ',
      }),
    ),
    expected,
  );
  const flags = [
    '--capture-speed=0.5',
    '--insecure-loopback',
    '--listen',
    'unix:/a',
    '--listen',
    '127.0.0.1:1',
  ];
  assert.deepEqual(pick(run([...flags, '--node-name', 'n1', '--retain-events', '7'])), expected);
});

test('text in the file is taken as it is written, whatever it looks like', () => {
  writeFile('socket-mode: 0600\nnode-name: 007\nlisten: unix:/a\n');
  const config = run(['--config', FILE]);
  assert.equal(config['socket-mode'], '0600');
  assert.equal(config['node-name'], '007');
  assert.deepEqual(config.listen, ['unix:/a']);
  // Not 432, which would be another mode.
  writeFile('socket-mode: 0o660\n');
  assert.equal(run(['--config', FILE])['socket-mode'], '0o660');
});

test('an empty file says nothing', () => {
  for (const text of ['', '# nothing\n', '---\n']) {
    writeFile(text);
    assert.deepEqual(run(['--config', FILE]), run([]));
  }
});

test('an unknown key of the file is refused with what is close', () => {
  fileFails('retain-event: 5\n', /unknown option 'retain-event', did you mean retain-events/);
  fileFails('frobnicate: 5\n', /unknown option 'frobnicate'$/);
  fileFails('__proto__: 5\n', /unknown option '__proto__'/);
});

test('a file that is no mapping, or no YAML, or not there, is refused by its name', () => {
  fileFails('- listen\n', /expected a mapping/);
  fileFails('just text\n', /expected a mapping/);
  fileFails('listen: [a\n', /strata\.yaml: ./);
  fileFails('node-name: a\nnode-name: b\n', /strata\.yaml: ./);
  fails(['--config', '/nonexistent.yaml'], {}, /^configuration file \/nonexistent\.yaml: ENOENT/);
});

test('values of the wrong shape are refused by the name of their option', () => {
  fileFails('capture:\n', /: capture: the value is empty$/);
  fileFails('capture: {path: x}\n', /: capture: expected one value$/);
  fileFails('capture: [a, b]\n', /: capture: expected one value$/);
  fileFails('listen: []\n', /: listen: expected at least one value$/);
  fileFails('listen: [unix:/a, {b: c}]\n', /: listen: expected one value$/);
  fileFails('retain-events:\n', /: retain-events: the value is empty$/);
  fileFails('retain-events: [1]\n', /: retain-events: expected one value$/);
  fileFails('insecure-loopback: maybe\n', /: insecure-loopback: expected true or false, got 'maybe'$/);
  fails([], { STRATA_LISTEN: 'unix:/a,,unix:/b' }, /^STRATA_LISTEN: the value is empty$/);
});

test('a bad value is refused by the name it was given under', () => {
  fails(['--retain-events', 'many'], {}, /^--retain-events: expected a whole number, got 'many'$/);
  fails(['--retain-events', '1.5'], {}, /^--retain-events: expected a whole number/);
  fails(['--retain-events', '-1'], {}, /^--retain-events: -1 is outside 0 to 1048576$/);
  fails(['--capture-speed', 'Infinity'], {}, /^--capture-speed: expected a number/);
  fails(['--threads-max', '9007199254740993'], {}, /^--threads-max: expected a whole number/);
  fails([], { STRATA_REPLAYS_MAX: '257' }, /^STRATA_REPLAYS_MAX: 257 is outside 1 to 256$/);
  fails([], { STRATA_INSECURE_LOOPBACK: 'yes' }, /^STRATA_INSECURE_LOOPBACK: expected true or false/);
  fails(['--log-level', 'loud'], {}, /^--log-level: 'loud' is not one of trace, debug/);
});

test('limits are checked at their very ends', () => {
  for (const row of OPTION_ROWS as readonly OptionRow[]) {
    for (const [limit, beyond] of [
      [row.min, -1],
      [row.max, 1],
    ] as const) {
      if (limit === undefined) continue;
      assert.equal(run([`--${row.name}=${limit}`])[row.name as keyof Config], limit);
      fails([`--${row.name}=${limit + beyond}`], {}, new RegExp(`^--${row.name}: .* is outside `));
    }
  }
});

test('unknown flags are refused with what is close, and stray words too', () => {
  fails(['--retain-event', '5'], {}, /unknown option '--retain-event'\s.*--retain-events/s);
  fails(['file.scap'], {}, /too many arguments/);
  fails(['--capture'], {}, /--capture <FILE>.*argument missing/);
});

test('the configuration printed is the configuration read back', () => {
  const args = ['--listen', 'unix:/a "b"', '--listen', '[::1]:5', '--capture-speed', '0.25'];
  const more = ['--node-name', 'yes', '--socket-mode', '0600', '--insecure-loopback', '--log-level', 'warn'];
  const environment = { STRATA_CAPTURE: '/data/ü # x: y.scap' };
  const text = printed([...args, ...more, '--print-config'], environment);
  writeFile(text);
  assert.deepEqual(run(['--config', FILE]), run([...args, ...more], environment));
  writeFile(formatConfig(configWith({})));
  assert.deepEqual(run(['--config', FILE]), run([]));
});

test('printing the configuration refuses what is wrong with it', () => {
  fails(['--print-config', '--retain-events', 'x'], {}, /--retain-events/);
});

test('the help lists every option with its value and default', () => {
  const help = printed(['--help']).replace(/\s+/g, ' ');
  for (const row of OPTION_ROWS as readonly OptionRow[]) {
    assert.ok(
      help.includes(row.type === 'boolean' ? `--${row.name} ` : `--${row.name} <${row.placeholder}>`),
      row.name,
    );
    assert.ok(help.includes(row.description), `description of ${row.name}`);
    if (row.default !== undefined && String(row.default) !== '')
      assert.ok(help.includes(`(default: ${String(row.default)})`), row.name);
  }
  assert.ok(help.includes('--config <FILE>') && help.includes('--print-config'));
});

test('environment names follow from the option names, and no two are the same', () => {
  assert.equal(environmentName('capture-wait-subscribers'), 'STRATA_CAPTURE_WAIT_SUBSCRIBERS');
  const names = OPTION_ROWS.map((row) => environmentName(row.name));
  assert.equal(new Set(names).size, names.length);
});
