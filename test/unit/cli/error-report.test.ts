import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatTextFault, markPosition, printable } from '../../../client/cli/error-report.ts';

describe('markPosition', () => {
  it('puts the caret below the byte', () => {
    assert.deepEqual(markPosition('evt.type = open and x', 20), [
      '  evt.type = open and x',
      `  ${' '.repeat(20)}^`,
    ]);
  });

  it('counts bytes of the text, not characters', () => {
    assert.deepEqual(markPosition('é = x', 3), ['  é = x', '    ^']);
  });

  it('shows only the line the position is in', () => {
    assert.deepEqual(markPosition('a = 1\nand b\nor c', 10), ['  and b', '      ^']);
  });

  it('points behind the end of a text that stops too early', () => {
    assert.deepEqual(markPosition('evt.num =', 9), ['  evt.num =', '           ^']);
    assert.deepEqual(markPosition('evt.num =', 99), ['  evt.num =', '           ^']);
  });

  it('cuts long lines around the position', () => {
    const [line, caret] = markPosition(`${'a'.repeat(300)}!${'b'.repeat(300)}`, 300);
    assert.equal(line?.indexOf('!'), caret?.indexOf('^'));
    assert.ok((line?.length ?? 999) < 120);
    assert.match(line ?? '', /^ {2}\.\.\.a+!b+\.\.\.$/);
  });

  it('keeps the caret in place behind a tab', () => {
    assert.deepEqual(markPosition('a\tb', 2), ['  a b', '    ^']);
  });
});

describe('formatTextFault', () => {
  it('shows message, place and suggestions', () => {
    const text = formatTextFault({
      subject: 'filter',
      text: 'proc.nam = cat',
      message: "unknown field 'proc.nam'",
      position: 0,
      suggestions: ['proc.name', 'proc.pname', 'proc.args'],
    });
    assert.equal(
      text,
      "filter: unknown field 'proc.nam'\n  proc.nam = cat\n  ^\n  did you mean proc.name, proc.pname or proc.args?",
    );
  });

  it('is one line when no place is known', () => {
    assert.equal(
      formatTextFault({ subject: 'field', text: 'x', message: 'bad', position: undefined, suggestions: [] }),
      'field: bad',
    );
  });
});

describe('printable', () => {
  it('makes control characters visible and leaves text alone', () => {
    assert.equal(printable('a\x1b[31mb\n\x9bé'), 'a\\x1b[31mb\\x0a\\x9bé');
  });
});
