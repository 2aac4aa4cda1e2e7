import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EVENT_TABLE, type EventInfo } from '../../../server/event/event-table.ts';
import { FIELD_ROWS } from '../../../server/fields/catalogue.ts';
import { FieldError } from '../../../server/fields/field.ts';
import { FD_FILE_V2 } from '../../../server/state/fd-info.ts';
import type { InspectedEvent } from '../../../server/state/inspected-event.ts';
import { EventContext, fdOf } from '../../helpers/event-context.ts';
import { bindField } from '../../helpers/event-fields.ts';

const SEED = 20240607;
const ROUNDS = 4;
const HEADER_BYTES = 26;

let state = SEED;
function random(below: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 4294967296) * below);
}

/** A well-formed record of the type whose parameters have random lengths, counts and bytes. */
function hostileBytes(info: EventInfo): Buffer {
  const count = random(info.params.length + 1);
  const lengths = Array.from({ length: count }, () => (random(3) === 0 ? 0 : random(40)));
  const lengthsAt = HEADER_BYTES;
  const valuesAt = lengthsAt + count * info.lengthSize;
  const bytes = Buffer.alloc(valuesAt + lengths.reduce((sum, length) => sum + length, 0));
  for (let i = valuesAt; i < bytes.length; i++) bytes[i] = random(4) === 0 ? random(12) : random(256);
  bytes.writeBigUInt64LE(BigInt(random(2 ** 31)) * BigInt(random(2 ** 31)), 0);
  bytes.writeBigInt64LE(1000n, 8);
  bytes.writeUInt32LE(bytes.length, 16);
  bytes.writeUInt16LE(info.id, 20);
  bytes.writeUInt32LE(count, 22);
  for (let i = 0; i < count; i++)
    bytes.writeUIntLE(lengths[i] as number, lengthsAt + i * info.lengthSize, info.lengthSize);
  return bytes;
}

function load(context: EventContext, bytes: Buffer): InspectedEvent {
  const { event } = context;
  event.record.attach(bytes);
  event.record.load(0, random(70_000), 0);
  event.thread = context.state.threads.find(random(5) === 0 ? 4711 : 1000);
  event.fdNumber = random(6) - 1;
  event.fd = event.thread?.fds.find(event.fdNumber);
  return event;
}

/** Every field, and those of parameters for every parameter name. */
function allReferences(): string[] {
  const names = new Set(EVENT_TABLE.flatMap((info) => info.params.map((param) => param.name)));
  return FIELD_ROWS.flatMap((row) => {
    if (row.name === 'evt.arg' || row.name === 'evt.rawarg')
      return [...names].map((name) => `${row.name}[${name}]`);
    if (row.name === 'evt.around') return ['evt.around[12345]'];
    if (!row.argument.endsWith('required')) return [row.name];
    return [`${row.name}[${row.argument.startsWith('index') ? '1' : 'read'}]`];
  });
}

describe('fields of records with any bytes in them', () => {
  it(`never throw (seed ${SEED})`, () => {
    const context = new EventContext();
    const { fds } = context.process(1000, 'cat');
    for (let fd = 0; fd < 4; fd++)
      fds.set(fd, fdOf(fd === 0 ? FD_FILE_V2 : random(23), ['', '/', '/a/b', 'x'][fd] as string));
    const extractors = allReferences().flatMap((name) =>
      (['value', 'json', 'text'] as const).map((form) => bindField(name, form)),
    );
    for (let round = 0; round < ROUNDS; round++) {
      for (const info of EVENT_TABLE) {
        const event = load(context, hostileBytes(info));
        for (const extract of extractors) extract(event);
      }
    }
  });

  it('refuse arguments that fit nothing', () => {
    for (const name of [
      'evt.arg[nonesuch]',
      'evt.rawarg[nonesuch]',
      'evt.type.is[nonesuch]',
      'evt.around[x]',
      'fd.types[x]',
    ]) {
      assert.throws(() => bindField(name), FieldError, name);
    }
  });
});
