import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { CaptureEngine } from '../../../proto/gen/strata/v1/node.ts';
import { RecordResponse } from '../../../proto/gen/strata/v1/recording_service.ts';
import type {
  RecordingChunk,
  RecordingEnd,
  RecordingFeed,
  RecordingProgress,
} from '../../../server/inspector/recording-feed.ts';
import { RecordStream } from '../../../server/rpc/record-stream.ts';
import type { ResponseSink } from '../../../server/stream/subscriber.ts';

const MIB = 1_048_576;
const PROGRESS: RecordingProgress = {
  eventCount: 3,
  stateOnlyCount: 1,
  byteCount: 100,
  lostCount: 0,
  backlogLostCount: 2,
  backlogLostStateCount: 1,
  firstNum: 1,
  lastNum: 9,
  firstTsNs: 5n,
  lastTsNs: 6n,
  captureBytesRead: undefined,
  fileCount: 1,
  threadCount: 4,
};
const END: RecordingEnd = { reason: 'stopped', seenCount: 10, progress: PROGRESS };

/** A client that reads when told. */
class Client implements ResponseSink {
  readonly messages: NonNullable<RecordResponse['message']>[] = [];
  isEnded = false;
  error: Error | undefined;
  private unread: (() => void)[] = [];

  write(bytes: Uint8Array, onFlushed: () => void): boolean {
    const { message } = RecordResponse.decode(bytes);
    assert.ok(message !== undefined && !this.isEnded);
    this.messages.push(message);
    this.unread.push(onFlushed);
    return true;
  }

  end(): void {
    this.isEnded = true;
  }

  fail(error: Error): void {
    this.error = error;
  }

  read(): void {
    for (const onFlushed of this.unread.splice(0)) onFlushed();
  }

  chunkBytes(): number {
    return this.messages.reduce(
      (sum, message) => sum + (message.$case === 'chunk' ? message.value.length : 0),
      0,
    );
  }
}

class Feed implements RecordingFeed {
  readonly started = {
    node: { nodeName: 'n', hostname: 'h', bootTimestampNs: undefined, cpuCount: 1, memoryBytes: 0n },
    captureEngine: CaptureEngine.EBPF,
    captureName: '',
    captureBytes: undefined,
  };
  ackedBytes = 0;
  isCancelled = false;

  ack(bytes: number): void {
    this.ackedBytes += bytes;
  }

  stop(): void {}

  cancel(): void {
    this.isCancelled = true;
  }
}

function chunk(length: number, file = 0): RecordingChunk {
  return { bytes: new Uint8Array(length).fill(7), file, progress: PROGRESS };
}

/** Lets everything that waits for nothing but its turn happen. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

function start(isCompressed = false) {
  const client = new Client();
  const feed = new Feed();
  let closedCount = 0;
  const stream = new RecordStream(client, isCompressed, () => {
    closedCount++;
  });
  return { client, feed, stream, closed: () => closedCount };
}

describe('record stream', () => {
  it('says first that the recording runs, whatever came before', async () => {
    const { client, feed, stream, closed } = start();
    stream.onChunk(chunk(10));
    stream.onEnd(END);
    await settle();
    assert.equal(client.messages.length, 0);
    stream.start(feed, 'id');
    await settle();
    assert.deepEqual(
      client.messages.map((message) => message.$case),
      ['started', 'chunk', 'progress', 'progress', 'ended'],
    );
    assert.equal(client.isEnded, true);
    assert.equal(closed(), 1);
  });

  it('sends pieces that any client takes, and tells files apart', async () => {
    const { client, feed, stream } = start();
    stream.start(feed, 'id');
    stream.onChunk(chunk(MIB + 5));
    stream.onChunk(chunk(7, 1));
    await settle();
    const shown = client.messages.map((m) => (m.$case === 'chunk' ? m.value.length : m.$case));
    assert.deepEqual(shown, ['started', MIB, 5, 'progress', 'file', 7, 'progress']);
  });

  it('gives credit back only as the client reads', async () => {
    const { client, feed, stream } = start();
    stream.start(feed, 'id');
    for (let i = 0; i < 5; i++) stream.onChunk(chunk(MIB));
    await settle();
    assert.ok(client.chunkBytes() <= 3 * MIB);
    assert.ok(feed.ackedBytes <= 3 * MIB);
    for (let i = 0; i < 5; i++) {
      client.read();
      await settle();
    }
    assert.equal(feed.ackedBytes, 5 * MIB);
    assert.equal(client.chunkBytes(), 5 * MIB);
  });

  it('compresses every chunk into a member of its own', async () => {
    const { client, feed, stream } = start(true);
    stream.start(feed, 'id');
    stream.onChunk(chunk(1000));
    stream.onChunk(chunk(500));
    stream.onEnd(END);
    for (let i = 0; i < 100 && !client.isEnded; i++) await new Promise((resolve) => setTimeout(resolve, 2));
    const members = client.messages.flatMap((m) => (m.$case === 'chunk' ? [gunzipSync(m.value).length] : []));
    assert.deepEqual(members, [1000, 500]);
  });

  it('ends when the client goes, in the middle of waiting for it', async () => {
    const { client, feed, stream, closed } = start();
    stream.start(feed, 'id');
    for (let i = 0; i < 5; i++) stream.onChunk(chunk(MIB));
    await settle();
    stream.onCancelled();
    await settle();
    const before = client.messages.length;
    stream.onChunk(chunk(5));
    stream.onEnd(END);
    await settle();
    assert.equal(client.messages.length, before);
    assert.deepEqual([feed.isCancelled, closed()], [true, 1]);
  });

  it('fails when the inspector breaks down, after what it has sent', async () => {
    const { client, feed, stream, closed } = start();
    stream.start(feed, 'id');
    stream.onChunk(chunk(5));
    stream.onFault(new Error('gone'));
    await settle();
    assert.equal(client.chunkBytes(), 5);
    assert.equal(client.error?.message, 'gone');
    assert.equal(closed(), 1);
  });
});
