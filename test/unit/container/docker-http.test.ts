import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { HttpConnection } from '../../../server/container/runtime/http-connection.ts';
import { runtimeErrorOf } from '../../../server/container/runtime/http-fault.ts';
import { HttpImageCache } from '../../../server/container/runtime/http-image-cache.ts';
import { RuntimeError, type RuntimeFault } from '../../../server/container/runtime/runtime-client.ts';
import { AnsweringRuntime, type RuntimeAnswers } from '../../helpers/answering-runtime.ts';

const ANSWER_BYTES_MAX = 1000;
const LINE_BYTES_MAX = 100;
/** Long enough for everything that answers, short enough to wait for. */
const CALL_TIMEOUT_MS = 300;

let dir = '';
let count = 0;
const closers: (() => void | Promise<void>)[] = [];

before(() => {
  dir = mkdtempSync(join(tmpdir(), 'docker-http-'));
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

after(() => rmSync(dir, { recursive: true }));

function connectionTo(socketPath: string, callTimeoutMs = CALL_TIMEOUT_MS): HttpConnection {
  const connection = new HttpConnection({
    socketPath,
    callTimeoutMs,
    answerBytesMax: ANSWER_BYTES_MAX,
    listBytesMax: 2 * ANSWER_BYTES_MAX,
    lineBytesMax: LINE_BYTES_MAX,
  });
  closers.unshift(() => connection.close());
  return connection;
}

async function answering(answers: RuntimeAnswers): Promise<HttpConnection> {
  const runtime = new AnsweringRuntime(join(dir, `${count++}.sock`), answers);
  await runtime.listen();
  closers.push(() => runtime.close());
  return connectionTo(runtime.socketPath);
}

/** Bytes as they are, to whoever connects. */
async function saying(
  bytes: string,
  onSocket: (socket: Socket) => void = () => undefined,
): Promise<HttpConnection> {
  const path = join(dir, `${count++}.sock`);
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write(bytes);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return connectionTo(path);
}

async function faultOf(asked: Promise<unknown>): Promise<[RuntimeFault, string]> {
  try {
    await asked;
  } catch (error) {
    assert.ok(error instanceof RuntimeError, String(error));
    return [error.fault, error.message];
  }
  throw new assert.AssertionError({ message: 'resolved' });
}

/** Root may open every socket. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return await work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

const unexpected = (): void => assert.fail();
const never = new AbortController().signal;

test('an answer is read whole, and 404 is nothing', async () => {
  const connection = await answering((path) => (path === '/a' ? { body: { a: ['ü'] } } : undefined));
  assert.deepEqual(await connection.get('/a', never), { a: ['ü'] });
  assert.equal(await connection.get('/b', never), undefined);
  assert.deepEqual(await connection.getQuickly('/a', never), { a: ['ü'] });
});

test('nobody at the socket is unreachable, and the message names both', async () => {
  const missing = join(dir, 'missing.sock');
  const [fault, message] = await faultOf(connectionTo(missing).get('/version?x=1', never));
  assert.equal(fault, 'unreachable');
  assert.match(message, /^GET \/version on .*missing\.sock: .*ENOENT/);
  const file = join(dir, 'file.sock');
  writeFileSync(file, '');
  assert.equal((await faultOf(connectionTo(file).get('/a', never)))[0], 'unreachable');
});

test('a socket that may not be opened is a matter of permission', async () => {
  const runtime = new AnsweringRuntime(join(dir, `${count++}.sock`), () => ({ body: {} }));
  await runtime.listen();
  closers.push(() => runtime.close());
  chmodSync(runtime.socketPath, 0);
  const connection = connectionTo(runtime.socketPath);
  const [fault, message] = await asNobody(() => faultOf(connection.get('/a', never)));
  assert.equal(fault, 'permission');
  assert.match(message, /EACCES/);
  assert.equal(runtimeErrorOf('a', Object.assign(new Error('x'), { code: 'EPERM' })).fault, 'permission');
});

test('an answer that says no is refused, with its reason', async () => {
  const connection = await answering((path) => {
    if (path === '/moved') return { status: 301, body: '' };
    return { status: 500, body: { message: 'no\nsuch   luck', cause: 'x' } };
  });
  const [fault, message] = await faultOf(connection.get('/a', never));
  assert.equal(fault, 'refused');
  assert.match(message, /: status 500 no such luck$/);
  assert.equal((await faultOf(connection.get('/moved', never)))[0], 'refused');
});

test('no answer in time is a timeout: none at all, half of one, one that drips', async () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"a":';
  const drip = await saying(head, (socket) => {
    const timer = setInterval(() => socket.write('1'), 20);
    socket.on('close', () => clearInterval(timer));
  });
  for (const connection of [
    await saying(''),
    await saying('HTTP/1.1 200 OK\r\n'),
    await saying(head),
    drip,
  ]) {
    const [fault, message] = await faultOf(connection.get('/a', never));
    assert.equal(fault, 'timeout');
    assert.match(message, /no answer within 300 ms/);
  }
});

test('what is no HTTP and no JSON is a breach of protocol', async () => {
  const answers = ['garbage\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{"a":'];
  for (const bytes of answers) {
    const connection = await saying(bytes);
    assert.equal((await faultOf(connection.get('/a', never)))[0], 'protocol', bytes);
  }
  const empty = await saying('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  assert.equal((await faultOf(empty.get('/a', never)))[0], 'protocol');
});

test('an answer longer than allowed is a breach of protocol, and no more of it is read', async () => {
  const long = await answering((path) => ({
    body: JSON.stringify('x'.repeat(path === '/most' ? 998 : 999)),
  }));
  assert.equal(await long.get('/most', never), 'x'.repeat(998));
  const [fault, message] = await faultOf(long.get('/more', never));
  assert.equal(fault, 'protocol');
  assert.match(message, /more than 1000 bytes/);
  assert.equal(await long.getList('/more', never), 'x'.repeat(999), 'lists may be longer');
});

test('an answer cut off is unreachable', async () => {
  const connection = await saying('HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"a":', (socket) => {
    socket.end();
  });
  const [fault] = await faultOf(connection.get('/a', never));
  assert.ok(fault === 'unreachable' || fault === 'protocol', fault);
});

test('a call given up, and calls after close, fail at once', async () => {
  const connection = await saying('');
  const giveUp = new AbortController();
  const asked = faultOf(connection.get('/a', giveUp.signal));
  giveUp.abort();
  assert.match((await asked)[1], /given up/);
  assert.match((await faultOf(connection.get('/a', giveUp.signal)))[1], /given up/);
  const open = faultOf(connection.get('/a', never));
  connection.close();
  assert.equal((await open)[0], 'unreachable');
  assert.equal((await faultOf(connection.get('/a', never)))[0], 'unreachable');
});

test('lines become objects however they are cut, until the signal aborts', async () => {
  const text = '{"a":"ü"}\n\n{"b":[1]}\r\n{"c":{}}\n';
  const connection = await answering(() => (response) => {
    const bytes = Buffer.from(text);
    let at = 0;
    const next = (): void => {
      if (at >= bytes.length) return;
      response.write(bytes.subarray(at, at + 1), () => next());
      at++;
    };
    next();
  });
  const stop = new AbortController();
  const objects: unknown[] = [];
  let readyCount = 0;
  await connection.watch(
    '/events',
    () => readyCount++,
    (object) => {
      objects.push(object);
      if (objects.length === 3) stop.abort();
    },
    stop.signal,
  );
  assert.equal(readyCount, 1);
  assert.deepEqual(objects, [{ a: 'ü' }, { b: [1] }, { c: {} }]);
});

test('a stream outlives the time of a call', async () => {
  const connection = await answering(() => (response) => {
    response.flushHeaders();
    setTimeout(() => response.end('{"a":1}\n'), CALL_TIMEOUT_MS * 2);
  });
  const objects: unknown[] = [];
  const [fault, message] = await faultOf(
    connection.watch(
      '/events',
      () => undefined,
      (object) => objects.push(object),
      never,
    ),
  );
  assert.equal(fault, 'unreachable');
  assert.match(message, /ended the stream/);
  assert.deepEqual(objects, [{ a: 1 }]);
});

test('a stream that does not begin is a timeout, one that is refused says why', async () => {
  const silent = await saying('');
  const watched = silent.watch('/events', unexpected, unexpected, never);
  assert.equal((await faultOf(watched))[0], 'timeout');
  const refusing = await answering(() => ({ status: 400, body: { message: 'bad filter' } }));
  const refused = await faultOf(refusing.watch('/events', unexpected, unexpected, never));
  assert.deepEqual(refused[0], 'refused');
  assert.match(refused[1], /bad filter/);
});

test('lines that are no objects, or too long, break the stream', async () => {
  for (const line of ['nonsense\n', '[1]\n', '5\n', `${'x'.repeat(LINE_BYTES_MAX + 1)}`]) {
    const connection = await answering(() => (response) => response.write(`{"a":1}\n${line}`));
    const objects: unknown[] = [];
    const watched = connection.watch(
      '/events',
      () => undefined,
      (object) => objects.push(object),
      never,
    );
    assert.equal((await faultOf(watched))[0], 'protocol', line);
    assert.deepEqual(objects, [{ a: 1 }]);
  }
});

test('calls beyond those that may wait are refused, and admitted again when these are over', async () => {
  const connection = await saying('');
  const stop = new AbortController();
  const waiting = Array.from({ length: 4096 }, () =>
    connection.get('/a', stop.signal).catch(() => undefined),
  );
  const [fault, message] = await faultOf(connection.get('/a', never));
  assert.equal(fault, 'refused');
  assert.match(message, /4096 calls wait already/);
  stop.abort();
  await Promise.all(waiting);
  assert.equal((await faultOf(connection.get('/a', never)))[0], 'timeout');
});

test('what is known of images is bounded, and void after news of images', async () => {
  const asked: string[] = [];
  const connection = await answering((path) => {
    asked.push(path);
    return { body: { RepoTags: [`x:${path.slice(1)}`] } };
  });
  const cache = new HttpImageCache(connection, (id) => `/${id}`);
  for (let index = 0; index <= 1024; index++) await cache.get(`${index}`, never);
  assert.equal(asked.length, 1025);
  assert.equal(cache.find('0'), undefined, 'the oldest is gone');
  assert.deepEqual(cache.find('1024')?.names, [{ repository: 'x', tag: '1024', digest: '' }]);
  await cache.get('1024', never);
  assert.equal(asked.length, 1025);
  const late = cache.get('new', never);
  cache.clear();
  assert.equal((await late).names.length, 1);
  assert.equal(cache.find('new'), undefined, 'asked before the news');
  assert.equal(cache.find('1024'), undefined);
});
