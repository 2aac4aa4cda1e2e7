/** The client that speaks what a kind of runtime speaks. */
import { ContainerdClient } from './containerd-client.ts';
import { CriClient } from './cri-client.ts';
import { DockerClient } from './docker-client.ts';
import { PodmanClient } from './podman-client.ts';
import type { RuntimeClient, RuntimeKind } from './runtime-client.ts';

export interface ClientOptions {
  readonly socketPath: string;
  /** Longest wait for one answer. */
  readonly callTimeoutMs: number;
}

export type MakeClient = (kind: RuntimeKind, options: ClientOptions) => RuntimeClient;

const CLIENTS: Readonly<Record<RuntimeKind, (options: ClientOptions) => RuntimeClient>> = {
  docker: (options) => new DockerClient(options),
  podman: (options) => new PodmanClient(options),
  cri: (options) => new CriClient(options),
  containerd: (options) => new ContainerdClient(options),
};

export const makeRuntimeClient: MakeClient = (kind, options) => CLIENTS[kind](options);
