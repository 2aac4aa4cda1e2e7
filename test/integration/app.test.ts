import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { StrataClient } from '../../client/strata-client.ts';
import { createLogger } from '../../server/admin/log.ts';
import { type App, createApp } from '../../server/app.ts';
import { type Config, ConfigError, configWith } from '../../server/config/config.ts';
import { closesCapture } from '../helpers/worker-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'strata-app-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const CAPTURE = join(folder, 'test.scap');
writeFileSync(CAPTURE, closesCapture(30));

/** A server on the built capture, listening in a folder of its own. */
class Bench {
  readonly sockets: string;
  readonly app: App;

  constructor(t: TestContext, options: Partial<Config> = {}) {
    this.sockets = mkdtempSync(join(folder, 's-'));
    this.app = makeApp(t, { listen: [this.address], ...options });
  }

  get address(): string {
    return `unix:${join(this.sockets, 'a.sock')}`;
  }

  /** What is left where the sockets are made. */
  get files(): string[] {
    return readdirSync(this.sockets);
  }
}

function makeApp(t: TestContext, options: Partial<Config>): App {
  const app = createApp(configWith({ capture: CAPTURE, ...options }), createLogger('silent'));
  t.after(() => app.stop());
  return app;
}

/** What `grpc.health.v1` says: 1 is SERVING, 2 NOT_SERVING. Any other outcome rejects. */
function health(t: TestContext, target: string, service = ''): Promise<number> {
  const client = new Client(target, credentials.createInsecure());
  t.after(() => client.close());
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      (empty: Buffer) => empty,
      // The one member of the answer: field 1, varint.
      (bytes) => bytes[1] ?? 0,
      // Its one member, too: a short text.
      service === ''
        ? Buffer.alloc(0)
        : Buffer.concat([Buffer.from([10, service.length]), Buffer.from(service)]),
      (error, status) => (error === null ? resolve(status ?? 0) : reject(error)),
    );
  });
}

async function countEvents(t: TestContext, target: string): Promise<number> {
  const client = new StrataClient(target);
  t.after(() => client.close());
  let count = 0;
  for await (const batch of client.streamEvents({ fields: ['evt.num'] }).batches()) count += batch.count;
  return count;
}

test('a started server says where it listens, that it serves, and streams its capture', async (t) => {
  const bench = new Bench(t);
  assert.deepEqual(bench.app.addresses, []);
  await bench.app.start();
  assert.deepEqual(bench.app.addresses, [bench.address]);
  assert.equal(await health(t, bench.address), 1);
  assert.equal(await countEvents(t, bench.address), 30);
  assert.deepEqual(bench.files, ['a.sock']);
});

test('the socket has the mode asked for', async (t) => {
  const bench = new Bench(t, { 'socket-mode': '0600' });
  await bench.app.start();
  assert.equal(statSync(join(bench.sockets, 'a.sock')).mode & 0o777, 0o600);
});

test('a stop removes the socket and ends the service; stopping twice is harmless', async (t) => {
  const bench = new Bench(t);
  await bench.app.start();
  await bench.app.stop();
  assert.deepEqual(bench.files, []);
  await assert.rejects(health(t, bench.address));
  await bench.app.stop();
});

test('the place of a stopped server is free for the next', async (t) => {
  const bench = new Bench(t);
  await bench.app.start();
  await bench.app.stop();
  await makeApp(t, { listen: [bench.address] }).start();
  assert.equal(await countEvents(t, bench.address), 30);
});

test('a second server on the same socket is refused, and the first serves on', async (t) => {
  const bench = new Bench(t);
  await bench.app.start();
  await assert.rejects(makeApp(t, { listen: [bench.address] }).start(), /another server listens/);
  assert.deepEqual(bench.files, ['a.sock']);
  assert.equal(await health(t, bench.address), 1);
});

test('a capture that is not there or not one is refused with its name, and nothing is left behind', async (t) => {
  const bench = new Bench(t, { capture: join(folder, 'missing.scap') });
  await assert.rejects(bench.app.start(), /missing\.scap/);
  const garbage = join(folder, 'garbage.scap');
  writeFileSync(garbage, 'this is no capture file at all');
  await assert.rejects(makeApp(t, { capture: garbage, listen: [bench.address] }).start(), /byte 0/);
  assert.deepEqual(bench.files, []);
  await makeApp(t, { listen: [bench.address] }).start();
  assert.equal(await health(t, bench.address), 1);
});

test('when a later address cannot be used, the sockets made before it are removed', async (t) => {
  const bench = new Bench(t);
  const bad = makeApp(t, {
    listen: [bench.address, `unix:${join(bench.sockets, 'none', 'none', 'b.sock')}`],
  });
  await assert.rejects(bad.start(), /ENOENT/);
  assert.deepEqual(bench.files, []);
  await bench.app.start();
  assert.equal(await health(t, bench.address), 1);
});

test('a server listens on all its addresses', async (t) => {
  const bench = new Bench(t);
  const second = `unix:${join(bench.sockets, 'b.sock')}`;
  const app = makeApp(t, {
    listen: [bench.address, second, '127.0.0.1:0'],
    'insecure-loopback': true,
  });
  await app.start();
  assert.deepEqual(app.addresses.slice(0, 2), [bench.address, second]);
  // The port was chosen by the system.
  assert.match(app.addresses[2] ?? '', /^127\.0\.0\.1:[1-9]\d*$/);
  for (const address of app.addresses) assert.equal(await health(t, address), 1);
});

test('plain text TCP is refused without leave', async (t) => {
  const bench = new Bench(t, { listen: ['127.0.0.1:0'] });
  await assert.rejects(
    bench.app.start(),
    (error) => error instanceof ConfigError && /--insecure-loopback/.test(error.message),
  );
});

test('plain text TCP is refused beyond loopback even with leave', async (t) => {
  for (const listen of ['0.0.0.0:0', '[::]:0', '192.0.2.1:0', 'example.com:0']) {
    const bench = new Bench(t, { listen: [listen], 'insecure-loopback': true });
    await assert.rejects(bench.app.start(), /not a loopback address/, listen);
    assert.deepEqual(bench.app.addresses, []);
  }
});

test('addresses and modes that are none are refused by name', async (t) => {
  for (const [options, message] of [
    [{ listen: ['nonsense'] }, /--listen: expected unix:PATH or HOST:PORT, got 'nonsense'/],
    [{ listen: ['tcp://127.0.0.1:1'] }, /--listen/],
    [{ 'socket-mode': '0o660' }, /--socket-mode: expected octal bits/],
    [{ 'socket-mode': '0690' }, /--socket-mode/],
  ] as const) {
    const bench = new Bench(t, options);
    await assert.rejects(
      bench.app.start(),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
    assert.deepEqual(bench.files, []);
  }
});

test('health tells of the source by itself: a file, and a node without events', async (t) => {
  const file = new Bench(t);
  await file.app.start();
  assert.equal(await health(t, file.address, 'capture'), 1);
  const node = new Bench(t, { capture: undefined, 'capture-engine': 'nodriver' });
  await node.app.start();
  assert.equal(await health(t, node.address), 1);
  assert.equal(await health(t, node.address, 'capture'), 2);
  const client = new StrataClient(node.address);
  t.after(() => client.close());
  const [source] = (await client.getStatus()).sources;
  assert.ok((source?.live?.snapshotThreadCount ?? 0n) > 0n);
  assert.equal(source?.captureName, '');
  const { thread } = await client.getThread({ tid: BigInt(process.pid) });
  assert.equal(thread?.pid, BigInt(process.pid));
  const events = client.streamEvents({ fields: ['evt.num'], start: { $case: 'beginning', value: {} } });
  await assert.rejects(async () => {
    for await (const _ of events) assert.fail('an event');
  }, /capture file|beginning/);
});

test('a capture and an engine for this node exclude each other', (t) => {
  assert.throws(() => makeApp(t, { 'capture-engine': 'ebpf' }), ConfigError);
});

test('the bundled capture is served when a file is asked for and none is named', async (t) => {
  const bench = new Bench(t, { capture: undefined, 'capture-engine': 'savefile' });
  await bench.app.start();
  assert.ok((await countEvents(t, bench.address)) > 100);
});
