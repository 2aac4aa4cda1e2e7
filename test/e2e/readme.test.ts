/** The commands of the README do what it says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CliRunner } from './cli-process.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
/** Shown because it fails, to show how. */
const MISTAKE = "strata replay quick-start 'proc.nam = cat'";

/** Exit code of a command that Ctrl-C ended. */
const INTERRUPTED = 130;
/** Those with a word in capitals are to be completed by the reader. */
const PLACEHOLDER = / (FILE|NAME)\b/;
/** Follow the node until they are stopped; where that is not permitted, they end with the bundled capture. */
const FOLLOWS = /^strata events /;
/** Seconds that a command follows before it is interrupted as by Ctrl-C; within ten more it must have ended. */
const FOLLOWED_S = 4;

const commands = readFileSync(README, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('strata ') && !PLACEHOLDER.test(line));
const ending = commands.filter((line) => !FOLLOWS.test(line));
const following = commands.filter((line) => FOLLOWS.test(line));

describe('README', () => {
  let runner: CliRunner;
  before(() => {
    runner = new CliRunner();
  });
  after(() => runner.remove());

  it('shows commands', () => {
    assert.ok(ending.length >= 7);
    assert.ok(ending.includes(MISTAKE));
    assert.ok(following.length >= 2);
  });

  for (const command of ending) {
    it(command, async () => {
      const { code, stdout, stderr } = await runner.shell(command.replace(/^strata/, '$STRATA'), {
        STRATA_TARGET: '',
      });
      assert.equal(code, command === MISTAKE ? 2 : 0, stderr);
      assert.equal(stdout.length > 0, command !== MISTAKE);
    });
  }

  for (const command of following) {
    it(command, async () => {
      const { code, stderr } = await runner.shell(
        `timeout --preserve-status --signal=INT --kill-after=10 ${FOLLOWED_S} ${command.replace(/^strata/, '$STRATA')}`,
        { STRATA_TARGET: '' },
      );
      assert.ok(code === 0 || code === INTERRUPTED, `ended with ${code}: ${stderr}`);
    });
  }
});
