/** An image as `docker save` writes it, made without a daemon: Docker, Podman and containerd load it. */
import { createHash } from 'node:crypto';
import { type TarEntry, tarArchive } from './tar-archive.ts';

export interface ImageSpec {
  /** Such as `localhost/lab/tools:1`. */
  readonly name: string;
  readonly files: readonly TarEntry[];
  /** `Cmd`, `Entrypoint`, `Env`, `User` and so on, as the format spells them. */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface ImageArchive {
  readonly name: string;
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly bytes: Buffer;
}

const EPOCH = '1970-01-01T00:00:00Z';
const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;

export function imageArchive(spec: ImageSpec): ImageArchive {
  const layer = tarArchive(spec.files);
  const config = JSON.stringify({
    architecture: ARCHITECTURE,
    os: 'linux',
    created: EPOCH,
    config: spec.config,
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest(layer)}`] },
    history: [{ created: EPOCH, created_by: 'lab' }],
  });
  const id = digest(config);
  const manifest = JSON.stringify([{ Config: `${id}.json`, RepoTags: [spec.name], Layers: ['layer.tar'] }]);
  const bytes = tarArchive([
    { path: 'manifest.json', kind: 'file', content: manifest },
    { path: `${id}.json`, kind: 'file', content: config },
    { path: 'layer.tar', kind: 'file', content: layer },
  ]);
  return { name: spec.name, id, bytes };
}

function digest(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
