import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteWriter } from '../../../server/fields/byte-writer.ts';
import { FieldError } from '../../../server/fields/field.ts';
import { bindField } from '../../../server/fields/field-reference.ts';
import { compileJsonRow } from '../../../server/fields/json-row.ts';
import { compileTemplate, TEMPLATE_PRESETS } from '../../../server/fields/template.ts';
import { EventContext } from '../../helpers/event-context.ts';

const context = new EventContext();
const thread = context.process(1000, 'bash');
thread.args = ['-c', 'id'];
thread.env = ['PATH=/bin'];
const event = () => context.show('PPME_SYSCALL_CLOSE_X', { res: 0n }, { num: 7 });

/** The line, or undefined when the event has none. */
function line(template: string): string | undefined {
  const writer = new ByteWriter();
  writer.latin1('before:');
  const isWritten = compileTemplate(template).write(event(), writer);
  assert.ok(writer.text().startsWith('before:'));
  const text = writer.text().slice('before:'.length);
  if (!isWritten) assert.equal(text, '');
  return isWritten ? text : undefined;
}

function fault(template: string): FieldError {
  try {
    compileTemplate(template);
  } catch (error) {
    assert.ok(error instanceof FieldError);
    return error;
  }
  return assert.fail(`${template} was accepted`);
}

test('fields stand between literal text', () => {
  assert.equal(line('%proc.name ran %proc.args[1], event %evt.num.'), 'bash ran id, event 7.');
  assert.equal(line('%proc.env.PATH:%proc.env[PATH]'), '/bin:/bin');
  assert.equal(line('plain'), 'plain');
  assert.equal(line('100%% %proc.name'), '100% bash');
});

test('an event without all fields has no line, unless the template starts with a star', () => {
  assert.equal(line('%evt.num %proc.pname'), undefined);
  assert.equal(line('*%evt.num %proc.pname'), '7 <NA>');
  assert.equal(line('*%6proc.pname|'), '<NA>  |');
});

test('a width cuts and fills', () => {
  assert.equal(line('%6proc.name|%2proc.name|'), 'bash  |ba|');
  assert.equal(line(`%200proc.name`)?.length, 200);
});

test('faults name their position in the template', () => {
  assert.equal(fault('').position, 0);
  assert.equal(fault('*').position, 1);
  assert.equal(fault('abc %').position, 5);
  assert.equal(fault('abc %10').position, 7);
  assert.equal(fault('abc %proc.nam x').position, 5);
  assert.deepEqual(fault('abc %proc.nam x').suggestions.slice(0, 1), ['proc.name']);
  assert.equal(fault('abc %proc.aname[x]').position, 16);
  assert.equal(fault('abc %proc.aname[1').position, 17);
  assert.match(fault('abc %toupper(proc.name)').message, /transformers/);
  assert.equal(fault('abc %99999999proc.name').position, 5);
});

test('all presets compile and print a line for every event', () => {
  for (const preset of Object.values(TEMPLATE_PRESETS)) assert.match(line(preset) ?? '', /^7 .*bash.*close/);
});

test('a JSON row has one key per field as asked for, and null for what is absent', () => {
  const writer = new ByteWriter();
  compileJsonRow(['evt.num', 'proc.env.PATH', 'proc.env["x\\"y"]', 'proc.pname'].map(bindField))(
    event(),
    writer,
  );
  assert.deepEqual(JSON.parse(writer.text()), {
    'evt.num': 7,
    'proc.env.PATH': '/bin',
    'proc.env["x\\"y"]': '',
    'proc.pname': null,
  });
});
