/** The commands of the README do what it says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CliRunner } from './cli-process.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
/** Shown because it fails, to show how. */
const MISTAKE = "strata replay quick-start 'proc.nam = cat'";

const commands = readFileSync(README, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('strata ') && !line.includes('FILE.scap'));

describe('README', () => {
  let runner: CliRunner;
  before(() => {
    runner = new CliRunner();
  });
  after(() => runner.remove());

  it('shows commands', () => {
    assert.ok(commands.length >= 7);
    assert.ok(commands.includes(MISTAKE));
  });

  for (const command of commands) {
    it(command, async () => {
      const { code, stdout, stderr } = await runner.shell(command.replace(/^strata/, '$STRATA'), {
        STRATA_TARGET: '',
      });
      assert.equal(code, command === MISTAKE ? 2 : 0, stderr);
      assert.equal(stdout.length > 0, command !== MISTAKE);
    });
  }
});
