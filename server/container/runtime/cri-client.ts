/** Container runtimes of Kubernetes: containerd, CRI-O and others that speak CRI. */
import { type JsonObject, textOf } from '../container-json.ts';
import { ifTold } from './containerd-calls.ts';
import type { GrpcClientOptions } from './containerd-client.ts';
import { CriCalls } from './cri-calls.ts';
import { CriEvents } from './cri-events.ts';
import { bareImageId } from './cri-image.ts';
import { criContainerRow, criSandboxRow, sandboxIdOf } from './cri-rows.ts';
import { type CriSandbox, criSandboxOf } from './cri-sandbox.ts';
import { GrpcConnection } from './grpc-connection.ts';
import { PROBE_INTERVAL_MS } from './grpc-watch.ts';
import type { RuntimeClient, RuntimeContainer, RuntimeEvents, RuntimeKind } from './runtime-client.ts';

/** Runtimes that are shown by their own name. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['containerd', 'containerd'],
  ['cri-o', 'cri-o'],
]);

export class CriClient implements RuntimeClient {
  readonly kind: RuntimeKind;
  readonly socketPath: string;
  readonly peek: undefined;
  private readonly connection: GrpcConnection;
  private readonly calls: CriCalls;
  private readonly callTimeoutMs: number;
  private readonly probeIntervalMs: number;

  constructor(options: GrpcClientOptions) {
    this.kind = 'cri';
    this.socketPath = options.socketPath;
    this.connection = new GrpcConnection(options.socketPath, options.callTimeoutMs);
    this.calls = new CriCalls(this.connection);
    this.callTimeoutMs = options.callTimeoutMs;
    this.probeIntervalMs = options.probeIntervalMs ?? PROBE_INTERVAL_MS;
  }

  async connect(signal: AbortSignal): Promise<string> {
    this.connection.reset();
    const { name, version, api } = await this.calls.identify(signal);
    return [name, version, `(CRI ${api})`].filter((part) => part !== '').join(' ');
  }

  /** Two calls for all of them, filtered here too as not all runtimes do: rows have no environment, mounts and addresses yet. */
  async list(signal: AbortSignal): Promise<readonly RuntimeContainer[]> {
    const type = await this.type(signal);
    const [containers, sandboxes] = await Promise.all([
      this.calls.runningContainers(signal),
      this.calls.readySandboxes(signal),
    ]);
    const found = new Map<string, RuntimeContainer>();
    const sandboxById = new Map<string, CriSandbox>();
    for (const status of sandboxes) {
      const sandbox = criSandboxOf(status, undefined);
      if (sandbox.id === '' || !isReady(status)) continue;
      sandboxById.set(sandbox.id, sandbox);
      found.set(sandbox.id, {
        row: criSandboxRow(sandbox, status, undefined, type),
        pid: 0,
        isRunning: true,
      });
    }
    for (const status of containers) {
      const sandbox = sandboxById.get(sandboxIdOf(status, undefined));
      const row = criContainerRow(status, undefined, sandbox, type);
      if (row.fullId !== '' && isRunning(status)) found.set(row.fullId, { row, pid: 0, isRunning: true });
    }
    return [...found.values()];
  }

  async inspect(fullId: string, signal: AbortSignal): Promise<RuntimeContainer | undefined> {
    if (fullId === '') return undefined;
    return (await this.inspectContainer(fullId, signal)) ?? (await this.inspectSandbox(fullId, signal));
  }

  async watch(events: RuntimeEvents, onReady: () => void, signal: AbortSignal): Promise<void> {
    const runtime = await this.calls.runtime(signal);
    const source = new CriEvents({
      connection: this.connection,
      calls: this.calls,
      callTimeoutMs: this.callTimeoutMs,
      probeIntervalMs: this.probeIntervalMs,
      type: typeOf(runtime.name),
      inspect: (id) => this.inspectContainer(id, signal),
    });
    await source.watch(runtime, events, onReady, signal);
  }

  close(): void {
    this.connection.close();
  }

  private async type(signal: AbortSignal): Promise<string> {
    return typeOf((await this.calls.runtime(signal)).name);
  }

  private async inspectContainer(id: string, signal: AbortSignal): Promise<RuntimeContainer | undefined> {
    const answer = await this.calls.containerStatus(id, signal);
    if (answer === undefined) return undefined;
    const { status, info, isBroken } = answer;
    const sandboxId = sandboxIdOf(status, info);
    // What is known of the container itself is told even if its sandbox is not.
    const pod =
      sandboxId === '' ? undefined : await ifTold(this.calls.sandboxStatus(sandboxId, signal), signal);
    const sandbox = pod && criSandboxOf(pod.status, pod.info);
    const row = criContainerRow(status, info, sandbox, await this.type(signal));
    if (row.fullId === '') return undefined;
    const imageId = row.imageId || (await this.imageIdOf(status, signal));
    const isComplete = !isBroken && (sandbox !== undefined || sandboxId === '');
    return { row: { ...row, imageId, isComplete }, pid: pidOf(info), isRunning: isRunning(status) };
  }

  private async inspectSandbox(id: string, signal: AbortSignal): Promise<RuntimeContainer | undefined> {
    const answer = await this.calls.sandboxStatus(id, signal);
    if (answer === undefined) return undefined;
    const { status, info, isBroken } = answer;
    const sandbox = criSandboxOf(status, info);
    if (sandbox.id === '') return undefined;
    const row = criSandboxRow(sandbox, status, info, await this.type(signal));
    return { row: { ...row, isComplete: !isBroken }, pid: pidOf(info), isRunning: isReady(status) };
  }

  private async imageIdOf(status: JsonObject, signal: AbortSignal): Promise<string> {
    const reference = textOf(status['image_ref']);
    if (reference === '') return '';
    return bareImageId(textOf((await ifTold(this.calls.image(reference, signal), signal))?.['id']));
  }
}

function typeOf(name: string): string {
  return TYPES.get(name) ?? 'cri';
}

function isRunning(status: JsonObject): boolean {
  return status['state'] === 'CONTAINER_RUNNING';
}

function isReady(status: JsonObject): boolean {
  return status['state'] === 'SANDBOX_READY';
}

function pidOf(info: JsonObject | undefined): number {
  const pid = info?.['pid'];
  return typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0 ? pid : 0;
}
