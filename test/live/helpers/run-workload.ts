/** Runs the scripted workload, under strace or alone, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { STRACE_OPTIONS } from '../workload/strace-log.ts';
import { PYTHON } from './load-process.ts';

const SCRIPT = fileURLToPath(new URL('../workload/workload.py', import.meta.url));
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A line of the workload's own journal. */
export interface JournalLine {
  readonly kind:
    | 'process'
    | 'open'
    | 'connect'
    | 'credentials'
    | 'failed-exec'
    | 'step'
    | 'done'
    | 'unexpected';
  readonly step?: string;
  readonly name?: string;
  readonly pid?: number;
  readonly tid?: number;
  readonly argv?: readonly string[];
  readonly cwd?: string;
  readonly exe?: string;
  readonly uid?: number;
  readonly status?: number;
  readonly path?: string;
  readonly fd?: number;
}

export interface WorkloadRun {
  readonly journal: readonly JournalLine[];
  /** What strace wrote; empty without it. */
  readonly straceText: string;
  /** Pid of the workload's first process, or of strace. */
  readonly pid: number;
}

/** Rejects when the workload fails, with what it said. `onStarted` is called with the pid of the outermost process. */
export async function runWorkload(options: {
  readonly isTraced: boolean;
  readonly steps?: readonly string[] | undefined;
}): Promise<WorkloadRun> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-workload-'));
  const journal = join(folder, 'journal');
  const trace = join(folder, 'strace');
  const work = mkdtempSync(join(folder, 'work-'));
  const command = [PYTHON, '-B', SCRIPT, work, journal, process.execPath, ...(options.steps ?? [])];
  const argv = options.isTraced ? ['strace', ...STRACE_OPTIONS, '-o', trace, ...command] : command;
  try {
    // A place that every user may pass through.
    const child = spawn(argv[0] as string, argv.slice(1), {
      cwd: '/',
      env: { PATH, HOME: '/root', LANG: 'C.UTF-8' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await end(child);
    return {
      journal: readFileSync(journal, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as JournalLine),
      straceText: options.isTraced ? readFileSync(trace, 'latin1') : '',
      pid: child.pid as number,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function end(child: ChildProcess): Promise<void> {
  const text: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => text.push(chunk.toString()));
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`the workload ended with ${code}:\n${text.join('').slice(-4000)}`);
}
