import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { OutputClosedError, OutputWriter } from '../../../client/cli/output-writer.ts';

/** A sink that takes a chunk only when told to. */
class SlowSink extends Writable {
  readonly chunks: string[] = [];
  #pending: ((error?: Error) => void) | undefined;

  constructor() {
    super({ highWaterMark: 4 });
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error) => void): void {
    this.chunks.push(chunk.toString());
    this.#pending = callback;
  }

  take(error?: Error): void {
    this.#pending?.(error);
  }
}

function epipe(): Error {
  return Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
}

describe('OutputWriter', () => {
  it('asks to wait while the stream is full, and goes on when it drains', async () => {
    const sink = new SlowSink();
    const writer = new OutputWriter(sink);
    const wait = writer.write('12345');
    assert.ok(wait instanceof Promise);
    sink.take();
    await wait;
    assert.equal(writer.write('1'), undefined);
  });

  it('tells a reader that went away from other failures', async () => {
    const sink = new SlowSink();
    const writer = new OutputWriter(sink);
    const wait = writer.write('12345');
    sink.take(epipe());
    await assert.rejects(async () => wait, OutputClosedError);
    await assert.rejects(async () => writer.write('more'), OutputClosedError);
    await assert.rejects(writer.flush(), OutputClosedError);
  });

  it('reports other failures as they are', async () => {
    const sink = new SlowSink();
    const writer = new OutputWriter(sink);
    const wait = writer.write('12345');
    sink.take(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
    await assert.rejects(async () => wait, /no space left/);
  });

  it('calls back when the output fails', () => {
    const sink = new SlowSink();
    const writer = new OutputWriter(sink);
    let calls = 0;
    writer.onFailure = () => calls++;
    sink.emit('error', epipe());
    sink.emit('error', epipe());
    assert.equal(calls, 1);
  });

  it('wakes who waits when it is told to give up', async () => {
    const writer = new OutputWriter(new SlowSink());
    const wait = writer.write('12345');
    writer.fail(new Error('interrupted'));
    await assert.rejects(async () => wait, /interrupted/);
  });

  it('flushes what was written', async () => {
    const sink = new SlowSink();
    const writer = new OutputWriter(sink);
    void writer.write('a');
    const flushed = writer.flush();
    sink.take();
    setImmediate(() => sink.take());
    await flushed;
    assert.equal(sink.chunks[0], 'a');
  });
});
