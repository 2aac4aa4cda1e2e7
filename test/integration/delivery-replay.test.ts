/** The whole server on a capture in which metadata of containers comes after their first events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamedEvent } from '../../client/event-batch.ts';
import type { EventStream } from '../../client/event-stream.ts';
import type { StrataClient } from '../../client/strata-client.ts';
import { DeliveryMode } from '../../proto/gen/strata/v1/event_service.ts';
import { withApp } from '../helpers/app-fixture.ts';
import { lateCapture } from '../helpers/late-capture.ts';

const FIELDS = ['evt.num', 'proc.name', 'evt.type', 'container.name'];

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
    { capture: lateCapture(t) },
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
    { capture: lateCapture(t) },
  ));
