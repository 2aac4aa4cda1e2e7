/** A server that sees the node only under /host: in a chroot, or in a container. Answers outside by a socket in a shared folder. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StrataClient } from '../../../client/strata-client.ts';
import type { ContainerLab } from '../lab/container-lab.ts';
import { until } from './until.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');
const READY_TIMEOUT_MS = 60_000;
/** What Node.js and its libraries are in. */
const SYSTEM_FOLDERS = ['/usr', '/bin', '/lib', '/lib64'].filter((path) => existsSync(path));

export interface ContainedServer {
  readonly client: StrataClient;
  stop(): Promise<void>;
}

/** Nothing is mounted outside: a mount namespace of its own goes with it. Runtimes are found where every node has them. */
export async function startInChroot(lab: ContainerLab): Promise<ContainedServer> {
  const root = join(lab.folder, 'chroot');
  const shared = join(lab.folder, 'chroot-shared');
  mkdirSync(shared, { recursive: true });
  const binds = [...SYSTEM_FOLDERS, ...programFolders(), shared].map(
    (path) => `mkdir -p ${root}${path}; mount --rbind ${path} ${root}${path}`,
  );
  const script = `set -e
mkdir -p ${root}/host ${root}/proc ${root}/sys ${root}/tmp ${root}/dev
mount --make-rprivate /
mount --rbind / ${root}/host
${binds.join('\n')}
mount -t proc proc ${root}/proc
mount --rbind /sys ${root}/sys
mount --rbind /dev ${root}/dev
mount -t tmpfs none ${root}/host/run
mkdir -p ${root}/host/run/podman ${root}/host/run/containerd
for name in docker.sock podman/podman.sock containerd/containerd.sock; do touch ${root}/host/run/$name; done
mount --bind ${lab.docker.socketPath} ${root}/host/run/docker.sock
mount --bind ${lab.podman.socketPath} ${root}/host/run/podman/podman.sock
mount --bind ${lab.containerd.socketPath} ${root}/host/run/containerd/containerd.sock
exec chroot ${root} "$@"
`;
  const socketPath = join(shared, 'strata.sock');
  const child = spawn(
    'unshare',
    ['--mount', '/bin/sh', '-c', script, 'sh', process.execPath, ...serverArgs(socketPath)],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  return await contained(child, socketPath, async () => {
    child.kill('SIGTERM');
  });
}

/** A privileged container of the lab's Docker, with process ids of its own. Runtimes are named by options. */
export async function startInContainer(lab: ContainerLab): Promise<ContainedServer> {
  const shared = join(lab.folder, 'container-shared');
  mkdirSync(shared, { recursive: true });
  const socketPath = join(shared, 'strata.sock');
  const name = 'strata-itself';
  const mounts = [...SYSTEM_FOLDERS, ...programFolders()].map((path) => `${path}:${path}:ro`);
  const options = ['--rm', '--privileged', '--network', 'none', '--name', name];
  for (const mount of [...mounts, `${shared}:${shared}`, '/:/host:ro']) options.push('--volume', mount);
  const docker = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker';
  const child = spawn(
    docker,
    [
      '--host',
      `unix://${lab.docker.socketPath}`,
      'run',
      ...options,
      lab.images.tools.name,
      process.execPath,
      ...serverArgs(socketPath),
      ...lab.serverArgs('/host'),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  return await contained(child, socketPath, () => lab.docker.remove(name));
}

function serverArgs(socketPath: string): string[] {
  const main = join(ROOT, 'server/main.ts');
  return [main, '--capture-engine', 'ebpf', '--host-root', '/host', '--listen', `unix:${socketPath}`];
}

/** This project, and Node.js where that is somewhere else. */
function programFolders(): string[] {
  const node = dirname(execFileSync('readlink', ['-f', process.execPath], { encoding: 'utf8' }).trim());
  return [ROOT, ...(isIn(node, [ROOT, ...SYSTEM_FOLDERS]) ? [] : [node])];
}

function isIn(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(`${folder}/`));
}

async function contained(
  child: ChildProcess,
  socketPath: string,
  end: () => Promise<void>,
): Promise<ContainedServer> {
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  let isOver = false;
  const ended = new Promise<void>((resolve) =>
    child.once('exit', () => {
      isOver = true;
      resolve();
    }),
  );
  const client = new StrataClient(`unix:${socketPath}`);
  const stop = async (): Promise<void> => {
    client.close();
    if (!isOver) await end();
    await ended;
    rmSync(socketPath, { force: true });
  };
  try {
    await until(
      'the server serves',
      () => {
        if (isOver) throw new Error('it ended');
        return log.includes('"serving"') ? true : undefined;
      },
      READY_TIMEOUT_MS,
    );
    await client.waitForReady(READY_TIMEOUT_MS);
  } catch (error) {
    await stop();
    throw new Error(`the contained server did not start:\n${log}`, { cause: error });
  }
  return { client, stop };
}
