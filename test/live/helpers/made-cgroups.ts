/** cgroups as runtimes name them, made by hand, with a sleeping process in each. Everything lies below a folder of our own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Hierarchies of the first version that the kernel tells of in events. */
const FIRST_VERSION_ROOTS = ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup/memory'];
/** Enters the cgroup $1 below the root $0, then becomes what follows. */
const ENTER = 'echo $$ > "$0$1/cgroup.procs" && shift && exec "$@"';
/** The same where the second version is mounted for this process alone, over the folder $0. */
const MOUNT_AND_ENTER = `mount -t cgroup2 none "$0" && mkdir -p "$0$1" && ${ENTER}`;
const MOUNT_AND_REMOVE =
  'mount -t cgroup2 none "$0" && cd "$0" && find ".$1" -depth -type d -exec rmdir {} +';

export class MadeCgroups {
  /** Of the first version; undefined where the machine has none. */
  readonly root: string | undefined;
  private readonly own: string;
  private readonly mountFolder: string;
  private readonly children: ChildProcess[];
  private readonly folders: Set<string>;

  constructor() {
    this.root = FIRST_VERSION_ROOTS.find((path) => existsSync(`${path}/cgroup.procs`));
    this.own = `/strata-made-${process.pid}`;
    this.mountFolder = mkdtempSync(join(tmpdir(), 'strata-cgroup2-'));
    this.children = [];
    this.folders = new Set();
  }

  /** Pid of a process in this cgroup of the first version. `command` runs there, and runs on. */
  async enter(path: string, command: readonly string[] = ['sleep', '60']): Promise<number> {
    const inside = `${this.own}${path}`;
    mkdirSync(`${this.root}${inside}`, { recursive: true });
    for (let at = inside; at !== '/'; at = dirname(at)) this.folders.add(at);
    return this.start('sh', ['-c', ENTER, this.root ?? '', inside, ...command]);
  }

  /** The same in the second version, which is the only one of its cgroups that says where it is. */
  async enterUnified(path: string, command: readonly string[] = ['sleep', '60']): Promise<number> {
    const arguments_ = [this.mountFolder, `${this.own}${path}`, ...command];
    return this.start('unshare', ['-m', 'sh', '-c', MOUNT_AND_ENTER, ...arguments_]);
  }

  /** Ends the processes and removes the cgroups. */
  async remove(): Promise<void> {
    for (const child of this.children) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    for (const folder of [...this.folders].sort((a, b) => b.length - a.length)) {
      if (existsSync(`${this.root}${folder}`)) rmdirSync(`${this.root}${folder}`);
    }
    spawnSync('unshare', ['-m', 'sh', '-c', MOUNT_AND_REMOVE, this.mountFolder, this.own]);
    rmSync(this.mountFolder, { recursive: true });
  }

  /** Resolves when the last program runs. */
  private async start(command: string, args: readonly string[]): Promise<number> {
    const child = spawn(command, [...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.children.push(child);
    let error = '';
    child.stderr.on('data', (chunk: Buffer) => {
      error += chunk.toString();
    });
    const { pid } = child;
    while (pid !== undefined && child.exitCode === null) {
      if (readFileSync(`/proc/${pid}/comm`, 'latin1').trim() === 'sleep') return pid;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`no process in a cgroup: ${error}`);
  }
}
