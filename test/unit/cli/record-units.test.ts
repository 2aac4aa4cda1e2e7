import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BlockScanner } from '../../../client/cli/block-scanner.ts';
import { commandAfterDashes } from '../../../client/cli/record-command.ts';
import { numberedPath } from '../../../client/cli/record-output.ts';
import { formatBytes, formatElapsed, parseDuration, parseSize } from '../../../client/cli/record-units.ts';

describe('sizes and durations of recordings', () => {
  it('are read as people write them', () => {
    assert.deepEqual(
      ['4096', '10MB', '1.5 GiB', '512kib', '1k'].map(parseSize),
      [4096, 10_000_000, 1_610_612_736, 524_288, 1000],
    );
    assert.deepEqual(
      ['10', '10s', '1.5m', '500ms', '2h'].map(parseDuration),
      [10_000, 10_000, 90_000, 500, 7_200_000],
    );
    for (const text of ['', 'big', '-1', '0', '10 parsecs', '1e9']) {
      assert.throws(() => parseSize(text), /expected a size/);
      assert.throws(() => parseDuration(text), /expected a time/);
    }
  });

  it('are shown short', () => {
    assert.deepEqual([999, 1000, 999_950, 12_345_678].map(formatBytes), [
      '999 bytes',
      '1.0 kB',
      '1.0 MB',
      '12.3 MB',
    ]);
    assert.deepEqual([0, 83_000].map(formatElapsed), ['0:00', '1:23']);
  });
});

describe('names of rotated files', () => {
  it('have their number before the extension', () => {
    assert.equal(numberedPath('/a/trace.scap', 7), '/a/trace-00007.scap');
    assert.equal(numberedPath('trace', 123_456), 'trace-123456');
  });
});

describe('command after --', () => {
  it('is what follows the first --', () => {
    assert.deepEqual(commandAfterDashes(['record', 'x', '--', 'sh', '--', 'y']), ['sh', '--', 'y']);
    assert.equal(commandAfterDashes(['record', 'x']), undefined);
    assert.throws(() => commandAfterDashes(['record', '--']), /expected a command/);
  });
});

describe('block scanner', () => {
  it('knows where the last whole block ends, however the bytes come', () => {
    const block = (length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      bytes.writeUInt32LE(length, 4);
      return bytes;
    };
    const file = Buffer.concat([block(12), block(28), block(400), block(16)]);
    for (const step of [1, 3, 7, 64, 1000]) {
      const scanner = new BlockScanner();
      const ends: number[] = [];
      for (let at = 0; at < file.length; at += step) {
        scanner.add(file.subarray(at, at + step));
        if (ends.at(-1) !== scanner.wholeBytes) ends.push(scanner.wholeBytes);
      }
      assert.equal(ends.at(-1), file.length);
      assert.ok(ends.every((end) => [0, 12, 40, 440, 456].includes(end)));
    }
    const scanner = new BlockScanner();
    scanner.add(file.subarray(0, 100));
    assert.equal(scanner.wholeBytes, 40);
  });
});
