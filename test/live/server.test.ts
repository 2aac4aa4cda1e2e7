/** The whole server on this node: what a client gets of real programs, what is captured for whom, and what is said when it cannot. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { StrataClient } from '../../client/strata-client.ts';
import { GapCause } from '../../proto/gen/strata/v1/event_service.ts';
import { CaptureEngine } from '../../proto/gen/strata/v1/node.ts';
import type { LiveCaptureStatus } from '../../proto/gen/strata/v1/node_service.ts';
import { liveOrSkip } from './helpers/live-permission.ts';
import { type LiveServer, startLiveServer } from './helpers/live-server.ts';

const SERVER = fileURLToPath(new URL('../../server/main.ts', import.meta.url));
const NOBODY = '65534';
/** What a change of subscriptions may take to be in the kernel. */
const INTEREST_MS_MAX = 100;

async function server(t: TestContext, args: readonly string[] = []): Promise<LiveServer> {
  const live = await startLiveServer(args);
  t.after(() => live.stop());
  return live;
}

async function liveStatus({ client }: Pick<LiveServer, 'client'>): Promise<LiveCaptureStatus> {
  const { live } = (await client.getStatus()).sources[0] ?? {};
  assert.ok(live !== undefined);
  return live;
}

async function until<T>(look: () => Promise<T | undefined> | T | undefined, timeoutMs = 5000): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    assert.ok(performance.now() < endMs, 'it never came');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Reads a stream in the background. */
class Reader {
  readonly rows: unknown[][] = [];
  captureLoss = 0n;
  private readonly stream;
  private readonly isStarted: Promise<void>;
  private readonly done: Promise<void>;

  constructor(client: StrataClient, condition: string, fields: readonly string[]) {
    const started = Promise.withResolvers<void>();
    this.isStarted = started.promise;
    this.stream = client.streamEvents(
      { filters: [{ name: '', condition }], fields: [...fields], heartbeatIntervalMs: 100 },
      {
        onStarted: () => started.resolve(),
        onGap: (gap) => {
          if (gap.cause === GapCause.CAPTURE_LOSS) this.captureLoss += gap.lostCount;
        },
      },
    );
    this.done = this.read(fields).catch(() => undefined);
  }

  /** The subscription stands, and what it wants is captured. */
  async ready(): Promise<this> {
    await this.isStarted;
    await new Promise((resolve) => setTimeout(resolve, INTEREST_MS_MAX));
    return this;
  }

  async stop(): Promise<void> {
    this.stream.cancel();
    await this.done;
  }

  private async read(fields: readonly string[]): Promise<void> {
    for await (const event of this.stream) this.rows.push(fields.map((field) => event.get(field)));
  }
}

describe('a live server', liveOrSkip('dd', 'setpriv'), () => {
  it('streams a real execve with the state around it', async (t) => {
    const { client } = await server(t);
    const marker = `marker-${process.pid}`;
    const fields = [
      'evt.num',
      'evt.cpu',
      'evt.rawtime',
      'evt.latency',
      'proc.name',
      'proc.exepath',
      'user.name',
      'proc.pid',
      'proc.ppid',
    ];
    const reader = await new Reader(
      client,
      `evt.type = execve and proc.args contains ${marker}`,
      fields,
    ).ready();
    const beforeNs = BigInt(Date.now()) * 1_000_000n;
    const child = spawnSync('/bin/sh', ['-c', `exec /bin/echo ${marker}`]);
    const row = await until(() => reader.rows.find((values) => values[4] === 'echo'));
    const [num, cpu, rawtime, , name, exepath, user, pid, ppid] = row;
    assert.ok(BigInt(num as bigint) > 0n);
    assert.ok(Number(cpu) >= 0 && Number(cpu) < 4096);
    const delayNs = BigInt(rawtime as bigint) - beforeNs;
    assert.ok(delayNs > -50_000_000n && delayNs < 5_000_000_000n, `${delayNs} ns`);
    assert.equal(name, 'echo');
    assert.match(String(exepath), /\/(echo|coreutils|busybox)$/);
    assert.equal(user, 'root');
    assert.equal(Number(pid), child.pid);
    assert.equal(Number(ppid), process.pid);
    await reader.stop();
  });

  it('knows the programs that ran before it, and not itself', async (t) => {
    const { client, pid } = await server(t);
    const { thread } = await client.getThread({ tid: BigInt(process.pid) });
    assert.equal(thread?.pid, BigInt(process.pid));
    assert.match(thread?.executable?.path.toString() ?? '', /node/);
    assert.ok((thread?.fdCount ?? 0) > 2);
    const reader = await new Reader(client, '', ['proc.pid']).ready();
    spawnSync('/bin/true');
    await until(() => (reader.rows.length > 50 ? true : undefined));
    assert.ok(reader.rows.every(([tgid]) => Number(tgid) !== pid));
    await reader.stop();
  });

  it('captures what somebody wants, within a tenth of a second, and no longer than that', async (t) => {
    const live = await server(t);
    const { client } = live;
    const idle = await liveStatus(live);
    assert.ok(idle.systemCallsWanted > 30 && idle.systemCallsWanted < 120, `${idle.systemCallsWanted}`);
    const startedMs = performance.now();
    const reader = new Reader(client, 'evt.type in (read, getpid, unlink)', ['evt.type']);
    const wanted = await until(async () => {
      const { systemCallsWanted } = await liveStatus(live);
      return systemCallsWanted > idle.systemCallsWanted ? systemCallsWanted : undefined;
    });
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs < INTEREST_MS_MAX, `${tookMs} ms`);
    t.diagnostic(
      `${idle.systemCallsWanted} system calls for the state, ${wanted} with a subscription after ${tookMs.toFixed(1)} ms`,
    );
    await reader.stop();
    await until(async () =>
      (await liveStatus(live)).systemCallsWanted === idle.systemCallsWanted ? true : undefined,
    );
  });

  it('does not capture the reads of dd for those who want to know of files', async (t) => {
    const live = await server(t);
    const count = async (): Promise<bigint> => (await liveStatus(live)).generatedCount;
    const before = await count();
    spawnSync('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1', 'count=200000']);
    const idle = (await count()) - before;
    // Other programs run, too; dd alone reads and writes 400,000 times.
    assert.ok(idle < 200_000n, `${idle}`);
    const reader = await new Reader(live.client, 'evt.type = read and proc.name = dd', ['evt.num']).ready();
    spawnSync('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1', 'count=20000']);
    await until(() => (reader.rows.length >= 20_000 ? true : undefined));
    assert.equal(reader.captureLoss, 0n);
    const nums = reader.rows.map(([num]) => BigInt(num as bigint));
    assert.ok(nums.every((num, i) => i === 0 || num > (nums[i - 1] as bigint)));
    await reader.stop();
  });

  it('tells exactly what did not fit', async (t) => {
    const live = await server(t, ['--ring-bytes', '65536']);
    const reader = await new Reader(live.client, 'evt.type = read and proc.name = dd', ['evt.num']).ready();
    // What was lost before it came, it is not told.
    const untold = (await liveStatus(live)).lostCount - reader.captureLoss;
    process.kill(live.pid, 'SIGSTOP');
    spawnSync('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1', 'count=50000']);
    process.kill(live.pid, 'SIGCONT');
    const status = await until(async () => {
      const now = await liveStatus(live);
      return now.lostCount > 40_000n && reader.captureLoss === now.lostCount - untold ? now : undefined;
    }, 20_000);
    const lost = status.lostCount - untold;
    assert.equal(
      status.lostByCause.reduce((sum, { count }) => sum + count, 0n),
      status.lostCount,
    );
    assert.equal(status.lostByEventType[0]?.name, 'read');
    t.diagnostic(`${lost} lost, all told`);
    await reader.stop();
  });

  it('keeps what events saw: state as of an event, after it has changed', async (t) => {
    const { client } = await server(t);
    const marker = `kept-${process.pid}`;
    const reader = await new Reader(client, `evt.type = execve and proc.args contains ${marker}`, [
      'evt.num',
      'proc.name',
    ]).ready();
    spawnSync('/bin/sh', ['-c', `/bin/sh -c "exec /bin/echo ${marker}"`]);
    const row = await until(() => reader.rows.find((values) => values[1] === 'sh'));
    await until(() => reader.rows.find((values) => values[1] === 'echo'));
    const { rows } = await client.extractFields({
      fields: ['proc.name', 'proc.pname'],
      targets: [{ key: { $case: 'eventNumber', value: BigInt(row[0] as bigint) } }],
    });
    assert.equal(rows.length, 1);
    const [name] = rows[0]?.values ?? [];
    assert.ok(name?.kind?.$case === 'bytesValue');
    assert.equal(Buffer.from(name.kind.value).toString(), 'sh');
    await reader.stop();
  });

  it('blots out secrets everywhere, and keeps the environment that was asked for', async (t) => {
    const { client } = await server(t, [
      '--redact-args',
      'token=(\\S+)',
      '--collect-env',
      'STRATA_TEST_MARK',
    ]);
    const marker = `blot-${process.pid}`;
    const child = spawn('/bin/sleep', ['30'], {
      argv0: `sleeper`,
      env: { STRATA_TEST_MARK: marker, OTHER: 'x' },
    });
    t.after(() => child.kill());
    const reader = await new Reader(client, `evt.type = execve and proc.args contains ${marker}`, [
      'proc.cmdline',
      'evt.arg.args',
    ]).ready();
    spawnSync('/bin/echo', [marker, 'token=verysecret']);
    const row = await until(() => reader.rows[0]);
    assert.match(String(row[0]), /token=\*\*\*/);
    assert.doesNotMatch(row.join(' '), /verysecret/);
    const { thread } = await client.getThread({ tid: BigInt(child.pid as number) });
    assert.deepEqual(thread?.env.map(String), [`STRATA_TEST_MARK=${marker}`]);
    await reader.stop();
  });

  it('leaves nothing in the kernel when it is killed', async (t) => {
    const live = await startLiveServer();
    // A server that outlives a failure would keep the whole suite from ending.
    t.after(() => live.kill());
    t.diagnostic(`ready after ${live.readyMs.toFixed(0)} ms`);
    const programs = (): number => ownPrograms(live.pid);
    const held = programs();
    assert.ok(held > 0, 'the server holds programs');
    await live.kill();
    await until(() => (programs() === 0 ? true : undefined));
  });
});

describe('a server that may not capture', liveOrSkip('setpriv'), () => {
  it('serves the state it can read, and says that there are no events', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'strata-nobody-'));
    chmodSync(folder, 0o777);
    const address = `unix:${join(folder, 'a.sock')}`;
    const child = unprivileged([SERVER, '--listen', address]);
    t.after(() => {
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    });
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
    await until(() => (log.includes('"serving"') ? true : undefined), 20_000);
    assert.match(log, /NO EVENTS/);
    const client = new StrataClient(address);
    t.after(() => client.close());
    const { sources } = await client.getStatus();
    assert.equal(sources[0]?.captureEngine, CaptureEngine.NODRIVER);
    assert.ok((sources[0]?.live?.fallbackReason ?? '').length > 10, sources[0]?.live?.fallbackReason);
    t.diagnostic(sources[0]?.live?.fallbackReason ?? '');
    const { thread } = await client.getThread({ tid: BigInt(child.pid as number) });
    assert.equal(thread?.uid, Number(NOBODY));
  });

  it('insists on nothing it cannot do: the engine that was demanded is refused with the reason', async () => {
    const child = unprivileged([SERVER, '--capture-engine', 'ebpf', '--listen', 'unix:/tmp/never.sock']);
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    assert.equal(code, 1, log);
    assert.match(log, /strata: .{10}/);
  });
});

/** Without any capability, and with no more than the files everybody may read. */
function unprivileged(args: readonly string[]): ChildProcess {
  const drop = [
    '--reuid',
    NOBODY,
    '--regid',
    NOBODY,
    '--clear-groups',
    '--inh-caps=-all',
    '--bounding-set=-all',
  ];
  return spawn('setpriv', [...drop, process.execPath, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** BPF programs among the open files of a process; 0 when it is gone. */
function ownPrograms(pid: number): number {
  const folder = `/proc/${pid}/fdinfo`;
  try {
    return readdirSync(folder).filter((fd) => isProgram(join(folder, fd))).length;
  } catch {
    return 0;
  }
}

/** Of a file that may be closed at this moment: a server opens and closes some at any time. */
function isProgram(fdinfo: string): boolean {
  try {
    return readFileSync(fdinfo, 'latin1').includes('prog_id:');
  } catch {
    return false;
  }
}
