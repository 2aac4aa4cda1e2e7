import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { CliError, EXIT_FAILURE } from '../../../client/cli/cli-error.ts';
import { checkEnd, EventPrinter, formatGap } from '../../../client/cli/event-printer.ts';
import { OutputClosedError, OutputWriter } from '../../../client/cli/output-writer.ts';
import {
  Completion,
  CompletionOutcome,
  Ended,
  EndReason,
  EventBatch,
  Gap,
  GapCause,
  Started,
  StreamEventsResponse,
} from '../../../proto/gen/strata/v1/event_service.ts';
import { FieldType } from '../../../proto/gen/strata/v1/value.ts';

type Message = NonNullable<StreamEventsResponse['message']>;

async function* streamOf(...messages: Message[]): AsyncGenerator<StreamEventsResponse> {
  for (const message of messages) yield StreamEventsResponse.fromPartial({ message });
}

function batch(text: string, count: number): Message {
  return { $case: 'batch', value: EventBatch.fromPartial({ count, rendered: Buffer.from(text) }) };
}

function collector(): { readonly sink: Writable; readonly chunks: Buffer[] } {
  const chunks: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      chunks.push(chunk);
      callback();
    },
  });
  return { sink, chunks };
}

function printer(sink: Writable, notes: string[], hasSummary = false, hasCompletions = false): EventPrinter {
  return new EventPrinter({
    output: new OutputWriter(sink),
    note: (text) => notes.push(text),
    progressStream: undefined,
    isProgressForced: false,
    hasCompletions,
    hasSummary,
    nowMs: () => 0,
  });
}

describe('EventPrinter', () => {
  it('writes the lines of batches unchanged and in order', async () => {
    const { sink, chunks } = collector();
    const ended = Ended.fromPartial({ reason: EndReason.CAPTURE_END, seenCount: 9n });
    const result = await printer(sink, []).print(
      streamOf(batch('1 \xff\n', 1), batch('2\n3\n', 2), { $case: 'ended', value: ended }),
    );
    assert.equal(Buffer.concat(chunks).toString(), '1 \xff\n2\n3\n');
    assert.equal(result?.seenCount, 9n);
  });

  it('writes a line per completed event behind the events when asked to', async () => {
    const schema = [
      { name: 'evt.num', type: FieldType.UINT64 },
      { name: 'container.name', type: FieldType.STRING },
    ];
    const started: Message = { $case: 'started', value: Started.fromPartial({ schema }) };
    const completion: Message = {
      $case: 'completion',
      value: Completion.fromPartial({
        sequences: [3n, 5n],
        fieldIndexes: [1],
        columns: [{ present: Buffer.from([1]), dictionary: [Buffer.from('we"b')], dictionaryIndexes: [0] }],
        outcome: CompletionOutcome.TIMED_OUT,
        containerId: 'abc',
      }),
    };
    const rest = '"container_id":"abc","outcome":"timed-out"';
    const expected =
      `{"completion":{"sequence":3,${rest},"values":{"container.name":"we\\"b"}}}\n` +
      `{"completion":{"sequence":5,${rest},"values":{"container.name":null}}}\n`;
    for (const hasCompletions of [true, false]) {
      const { sink, chunks } = collector();
      await printer(sink, [], false, hasCompletions).print(streamOf(started, batch('{}\n', 1), completion));
      assert.equal(Buffer.concat(chunks).toString(), `{}\n${hasCompletions ? expected : ''}`);
    }
  });

  it('notes gaps and the summary', async () => {
    const { sink } = collector();
    const notes: string[] = [];
    const gap = Gap.fromPartial({ cause: GapCause.BACKLOG_FULL, lostCount: 2n });
    await printer(sink, notes, true).print(streamOf(batch('1\n', 1), { $case: 'gap', value: gap }));
    assert.equal(notes[0], 'lost 2 events (this client read too slowly)');
    assert.match(notes[1] ?? '', /^1 events printed, 2 lost in /);
  });

  it('ends the stream when the reader is gone', async () => {
    const sink = new Writable({
      write(_chunk, _encoding, callback) {
        callback(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    let isClosed = false;
    async function* endless(): AsyncGenerator<StreamEventsResponse> {
      try {
        for (;;) {
          yield StreamEventsResponse.fromPartial({ message: batch('line\n', 1) });
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        isClosed = true;
      }
    }
    await assert.rejects(printer(sink, []).print(endless()), OutputClosedError);
    assert.ok(isClosed);
  });
});

describe('formatGap', () => {
  it('tells count, cause and event numbers', () => {
    const gap = Gap.fromPartial({
      cause: GapCause.CAPTURE_LOSS,
      lostCount: 1234n,
      firstEventNumber: 10n,
      lastEventNumber: 90n,
    });
    assert.equal(
      formatGap(gap),
      'lost 1,234 events (the capture lost them before they could be filtered), numbers 10 to 90',
    );
  });

  it('tells one event by its number', () => {
    const gap = Gap.fromPartial({ cause: GapCause.EVENT_TOO_LARGE, lostCount: 1n, firstEventNumber: 7n });
    assert.equal(formatGap(gap), 'lost 1 event (larger than a message may be), number 7');
  });
});

describe('checkEnd', () => {
  it('turns damage into a failure with the byte offset', () => {
    const ended = Ended.fromPartial({
      reason: EndReason.CAPTURE_ERROR,
      captureError: { message: 'block cut short', byteOffset: 4096n },
      lastEventNumber: 12n,
    });
    assert.throws(
      () => checkEnd(ended, 'x.scap'),
      (error) =>
        error instanceof CliError &&
        error.exitCode === EXIT_FAILURE &&
        error.message === 'x.scap: block cut short (at byte 4096); the last event is 12',
    );
  });

  it('accepts every other end', () => {
    checkEnd(Ended.fromPartial({ reason: EndReason.CAPTURE_END }), 'x.scap');
    checkEnd(undefined, 'x.scap');
  });
});
