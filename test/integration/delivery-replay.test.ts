/** The whole server on a capture in which metadata of containers comes after their first events. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { StreamedEvent } from '../../client/event-batch.ts';
import type { EventStream } from '../../client/event-stream.ts';
import type { StrataClient } from '../../client/strata-client.ts';
import { DeliveryMode } from '../../proto/gen/strata/v1/event_service.ts';
import { withApp } from '../helpers/app-fixture.ts';
import { exec, write } from '../helpers/delivery-events.ts';
import { buildEventBytes } from '../helpers/event-builder.ts';
import type { ScriptEvent } from '../helpers/query-fixture.ts';
import { ScapBuilder } from '../helpers/scap-builder.ts';
import { threadRow } from '../helpers/scap-rows.ts';
import { containerId, foundJson } from '../helpers/tracker-bench.ts';
import { writeCapture } from '../helpers/worker-fixture.ts';

const START_NS = 1_700_000_000_000_000_000n;
const FIELDS = ['evt.num', 'proc.name', 'evt.type', 'container.name'];

function found(name: string): ScriptEvent {
  return {
    code: 'PPME_ASYNCEVENT_E',
    tid: -1,
    params: {
      plugin_id: 0,
      name: 'container',
      data: Buffer.from(`${foundJson(containerId(name), `name-${name}`)}\0`),
    },
  };
}

/** `a` is known after 100 ms, `b` after 700, `c` never; a process of the host goes on meanwhile. */
const EVENTS: readonly (readonly [ms: number, event: ScriptEvent])[] = [
  [0, exec(20, '', 'top')],
  [10, exec(30, 'a', 'first')],
  [20, exec(40, 'b', 'slow')],
  [30, write(30, 1)],
  [40, write(20, 1)],
  [110, found('a')],
  [120, write(30, 1)],
  [600, write(20, 1)],
  [650, write(40, 1)],
  [720, found('b')],
  [730, write(40, 1)],
  [740, exec(50, 'c', 'last')],
];

function capture(t: TestContext): string {
  const builder = new ScapBuilder().machine().threads([threadRow({ tid: 1, pid: 1 })]);
  for (const [ms, event] of EVENTS) {
    const ts = START_NS + BigInt(ms) * 1_000_000n;
    builder.record(buildEventBytes(event.code, event.params, { ...event, ts }), {
      isLarge: event.code === 'PPME_ASYNCEVENT_E',
    });
  }
  return writeCapture(t, builder.bytes());
}

function lineOf(event: StreamedEvent): string {
  const [, program, type, container] = FIELDS.map((field) => String(event.get(field) ?? '-'));
  return `${program} ${type} ${container}${event.isIncomplete ? ` ?${event.lateOutcome ?? ''}` : ''}`;
}

async function lines(events: AsyncIterable<StreamedEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of events) if (event.get('evt.type') !== 'container') seen.push(lineOf(event));
  return seen;
}

function subscribe(client: StrataClient, deliveryMode: DeliveryMode, condition = ''): EventStream {
  return client.streamEvents({ fields: FIELDS, deliveryMode, filters: [{ name: '', condition }] });
}

const COMPLETE_LINES = [
  'top execve host',
  'top write host',
  'first execve name-a',
  'first write name-a',
  'first write name-a',
  'slow execve - ?',
  'top write host',
  'slow write -',
  'slow write name-b',
  'last execve - ?',
];

test('COMPLETE waits in the time of the events, and every replay is the same', (t) =>
  withApp(
    async ({ client }) => {
      for (let i = 0; i < 3; i++) {
        assert.deepEqual(await lines(subscribe(client, DeliveryMode.COMPLETE)), COMPLETE_LINES);
      }
      const named = subscribe(client, DeliveryMode.COMPLETE, 'container.name = name-a');
      assert.deepEqual(await lines(named), [
        'first execve name-a',
        'first write name-a',
        'first write name-a',
      ]);
    },
    { capture: capture(t) },
  ));

test('IMMEDIATE with its completions tells the same, and what never comes is told at the end', (t) =>
  withApp(
    async ({ client }) => {
      const stream = subscribe(client, DeliveryMode.IMMEDIATE);
      assert.deepEqual(await lines(stream.completed()), [
        'top execve host',
        'top write host',
        'first execve name-a ?complete',
        'first write name-a ?complete',
        'first write name-a',
        'slow execve - ?timed-out',
        'top write host',
        'slow write -',
        'slow write name-b',
        'last execve - ?timed-out',
      ]);
      const plain = await lines(subscribe(client, DeliveryMode.UNSPECIFIED));
      assert.deepEqual(plain.slice(0, 4), [
        'top execve host',
        'first execve - ?',
        'slow execve - ?',
        'first write - ?',
      ]);
    },
    { capture: capture(t) },
  ));
