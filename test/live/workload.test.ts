/** The workload's own journal against the fields of the stream: what each program was, where, and as whom. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventValue } from '../../client/column-reader.ts';
import { liveOrSkip } from './helpers/live-permission.ts';
import { type LiveServer, withLiveServer } from './helpers/live-server.ts';
import { type JournalLine, runWorkload } from './helpers/run-workload.ts';

const FIELDS = [
  ...[
    'evt.type',
    'evt.rawres',
    'thread.tid',
    'proc.pid',
    'proc.exepath',
    'proc.cmdline',
    'proc.cwd',
    'proc.args',
  ],
  ...['user.uid', 'user.name', 'fd.num', 'fd.name', 'evt.failed'],
] as const;
type Row = Readonly<Record<(typeof FIELDS)[number], EventValue>>;
const CONDITION =
  'evt.type in (execve, execveat, procexit, open, openat, connect, setresuid) and not proc.name startswith strata';
/** Arguments are kept up to this many bytes. */
const ARGS_BYTES_MAX = 4096;
const DRAIN_MS = 3000;

test(
  'programs, files, connections and users of the workload are what its journal says',
  liveOrSkip('python3', 'git', 'curl', 'ssh-keygen', 'useradd', 'unshare'),
  async () => {
    await withLiveServer(async (server) => {
      const { rows, journal } = await watchWorkload(server);
      const failures = journal.flatMap((line) => [...checkLine(line, rows)]);
      assert.deepEqual(failures, []);
      assert.equal(journal.at(-1)?.kind, 'done');
    });
  },
);

async function watchWorkload(server: LiveServer): Promise<{ rows: Row[]; journal: readonly JournalLine[] }> {
  const rows: Row[] = [];
  const losses: string[] = [];
  let onStarted: () => void = () => {};
  const started = new Promise<void>((resolve) => {
    onStarted = resolve;
  });
  const stream = server.client.streamEvents(
    {
      filters: [{ name: '', condition: CONDITION }],
      fields: [...FIELDS],
      start: { $case: 'live', value: {} },
    },
    { onStarted, onGap: (gap) => losses.push(`${gap.lostCount} lost, cause ${gap.cause}`) },
  );
  const reading = (async () => {
    for await (const event of stream) rows.push(event.toObject() as Row);
  })();
  await started;
  const { journal } = await runWorkload({ isTraced: false });
  const last = journal.findLast(({ kind }) => kind === 'process')?.pid;
  const deadline = Date.now() + DRAIN_MS;
  const isThere = (): boolean =>
    rows.some((row) => row['evt.type'] === 'procexit' && row['proc.pid'] === last);
  while (!isThere() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  stream.cancel();
  await reading;
  assert.deepEqual(losses, []);
  return { rows, journal };
}

/** What does not fit a line of the journal, in words. */
function* checkLine(line: JournalLine, rows: readonly Row[]): Generator<string> {
  switch (line.kind) {
    case 'process':
      yield* checkProcess(line, rows);
      return;
    case 'open':
      if (
        !rows.some(
          (row) => isOf(row, line, 'openat') && row['fd.name'] === line.path && row['fd.num'] === line.fd,
        )
      )
        yield `open of ${line.path} as ${line.fd} by ${line.tid}: no such event`;
      return;
    case 'connect':
      if (
        !rows.some(
          (row) => isOf(row, line, 'connect') && row['fd.name'] === line.name && row['fd.num'] === line.fd,
        )
      )
        yield `connect ${line.name} by ${line.tid}: no such event, but ${names(rows, line)}`;
      return;
    case 'credentials': {
      const open = rows.find((row) => isOf(row, line, 'openat') && row['evt.failed'] === true);
      if (open?.['user.uid'] !== line.uid || open?.['user.name'] !== 'nobody')
        yield `credentials of ${line.tid}: ${JSON.stringify(open)}`;
      return;
    }
    case 'failed-exec':
      if (!rows.some((row) => row['evt.type'] === 'execve' && row['evt.failed'] === true))
        yield `failed exec of ${line.path}: no such event`;
      return;
    case 'unexpected':
    case 'step':
    case 'done':
  }
}

function isOf(row: Row, line: JournalLine, type: string): boolean {
  return row['evt.type'] === type && row['thread.tid'] === line.tid;
}

function names(rows: readonly Row[], line: JournalLine): string {
  return rows
    .filter((row) => isOf(row, line, 'connect'))
    .map((row) => String(row['fd.name']))
    .join(', ');
}

function* checkProcess(line: JournalLine, rows: readonly Row[]): Generator<string> {
  const argv = line.argv ?? [];
  const who = `${argv.join(' ').slice(0, 60)} (${line.pid})`;
  const exec = rows.find(
    (row) =>
      /^execve/.test(String(row['evt.type'])) && row['proc.pid'] === line.pid && row['evt.failed'] === false,
  );
  if (exec === undefined) {
    yield `${who}: no execve`;
    return;
  }
  const cmdline = argv.join(' ');
  const got = String(exec['proc.cmdline']);
  // The command line shows the program's name for its first argument.
  const wanted = [commandName(argv), ...argv.slice(1)].join(' ');
  const isCut = cmdline.length > ARGS_BYTES_MAX && got.length > ARGS_BYTES_MAX / 2 && wanted.startsWith(got);
  if (got !== wanted && !isCut) yield `${who}: cmdline ${got.slice(0, 200)}, journal ${wanted.slice(0, 200)}`;
  if (exec['proc.exepath'] !== line.exe) yield `${who}: exepath ${exec['proc.exepath']}, journal ${line.exe}`;
  const cwd = line.cwd === '/' ? '/' : `${line.cwd}/`;
  if (String(exec['proc.cwd']) !== cwd && exec['proc.cwd'] !== line.cwd)
    yield `${who}: cwd ${exec['proc.cwd']}, journal ${line.cwd}`;
  if (exec['user.uid'] !== line.uid) yield `${who}: uid ${exec['user.uid']}, journal ${line.uid}`;
  const exits = rows.filter((row) => row['evt.type'] === 'procexit' && row['thread.tid'] === line.pid);
  // The main thread goes when another thread's execve replaces it, and again at the end.
  const wantedExits = line.step === 'threaded_exec' ? 2 : 1;
  if (exits.length !== wantedExits) yield `${who}: ${exits.length} procexit events`;
}

/** What the kernel calls a program: the name of its file, at most 15 bytes. */
function commandName(argv: readonly string[]): string {
  return (argv[0] ?? '').replace(/^.*\//, '').slice(0, 15);
}
