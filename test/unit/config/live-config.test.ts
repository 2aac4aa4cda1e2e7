import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Config, ConfigError, configWith, parseConfig } from '../../../server/config/config.ts';
import { liveOptions } from '../../../server/live-config.ts';

function parsed(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Config {
  const result = parseConfig(args, environment);
  assert.ok(result.kind === 'run');
  return result.config;
}

test('rings are rounded up to a power of two, and / is no prefix', () => {
  const options = liveOptions(configWith({ 'ring-bytes': 5000, 'host-root': '/host/' }));
  assert.equal(options.ringBytes, 8192);
  assert.equal(options.hostRoot, '/host');
  assert.equal(liveOptions(configWith({ 'host-root': '/' })).hostRoot, '');
  assert.equal(liveOptions(configWith({})).hostRoot, '');
});

test('the root of the host has a second environment name, which its own wins over', () => {
  assert.equal(parsed([], { HOST_ROOT: '/a' })['host-root'], '/a');
  assert.equal(parsed([], { HOST_ROOT: '/a', STRATA_HOST_ROOT: '/b' })['host-root'], '/b');
});

test('what is on can be turned off', () => {
  assert.equal(parsed([])['drop-capabilities'], true);
  assert.equal(parsed(['--drop-capabilities', 'false'])['drop-capabilities'], false);
  assert.equal(parsed(['--drop-capabilities'])['drop-capabilities'], true);
});

test('lists are repeated, and may be empty', () => {
  assert.deepEqual(parsed(['--suppress-comm', 'a', '--suppress-comm', 'b'])['suppress-comm'], ['a', 'b']);
  assert.deepEqual(liveOptions(parsed(['--suppress-pid', '12'])).suppressPids, [12]);
  assert.deepEqual(parsed([])['collect-env'], []);
});

test('values no engine can work with are refused by name', () => {
  const cases: readonly [Partial<Config>, RegExp][] = [
    [{ 'redact-args': ['('] }, /--redact-args '\('/],
    [{ 'suppress-pid': ['x'] }, /--suppress-pid/],
    [{ 'suppress-comm': ['a-name-of-16-byte'] }, /15 bytes/],
    [{ 'suppress-comm': Array.from({ length: 17 }, (_, i) => `c${i}`) }, /at most 16/],
  ];
  for (const [config, message] of cases) {
    assert.throws(
      () => liveOptions(configWith(config)),
      (error: unknown) => error instanceof ConfigError && message.test(error.message),
    );
  }
});
