/** containerd of the lab, with the CRI plugin: one daemon behind two drivers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon } from './daemon.ts';
import { runCommand } from './run-command.ts';

export interface ContainerdOptions {
  readonly folder: string;
  readonly ociRuntime: string;
  readonly snapshotter: 'overlayfs' | 'native';
  readonly pauseImage: string;
  /** First three numbers of the addresses of pods. */
  readonly subnet: string;
}

export class ContainerdDaemon {
  readonly socketPath: string;
  readonly daemon: Daemon;

  constructor(options: ContainerdOptions) {
    const { folder } = options;
    mkdirSync(join(folder, 'cni'), { recursive: true });
    this.socketPath = join(folder, 'containerd.sock');
    const config = join(folder, 'config.toml');
    writeFileSync(config, configuration(options, this.socketPath));
    writeFileSync(join(folder, 'cni', '10-lab.conflist'), network(options));
    this.daemon = new Daemon({
      name: 'containerd',
      socketPath: this.socketPath,
      logPath: join(folder, 'containerd.log'),
      command: ['containerd', '--config', config],
    });
  }

  async load(namespace: string, imageFile: string): Promise<void> {
    await this.ctr(namespace, 'images', 'import', imageFile);
  }

  ctr(namespace: string, ...args: readonly string[]): Promise<string> {
    return runCommand(['ctr', '--address', this.socketPath, '--namespace', namespace, ...args]);
  }
}

function configuration(options: ContainerdOptions, socketPath: string): string {
  const { folder, ociRuntime, snapshotter, pauseImage } = options;
  return `version = 2
root = "${join(folder, 'root')}"
state = "${join(folder, 'state')}"
[grpc]
  address = "${socketPath}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${snapshotter}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "${ociRuntime}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${join(folder, 'cni')}"
`;
}

/** Point to point links need neither a bridge nor a packet filter. */
function network({ folder, subnet }: ContainerdOptions): string {
  return JSON.stringify({
    cniVersion: '0.4.0',
    name: 'lab',
    plugins: [
      {
        type: 'ptp',
        ipMasq: false,
        ipam: { type: 'host-local', dataDir: join(folder, 'ipam'), ranges: [[{ subnet: `${subnet}.0/24` }]] },
      },
    ],
  });
}
