/** Builds every part once and wires it: the only place that knows all parts. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from './admin/log.ts';
import { type Config, ConfigError } from './config/config.ts';
import { ContainerLayer } from './container-layer.ts';
import { FIELD_ROWS } from './fields/catalogue.ts';
import { foreignSocket } from './foreign-socket.ts';
import { InspectorPool } from './inspector/inspector-pool.ts';
import type { WorkerConfig } from './inspector/protocol.ts';
import { KubernetesLayer } from './kubernetes-layer.ts';
import { kubernetesOptions, liveOptions, runtimeOptions } from './live-config.ts';
import { checkFilter } from './rpc/check-filter.ts';
import { createRpcServer, type RpcServer } from './rpc/server.ts';

/** Played when no capture is named and live capture is not possible. */
export const BUNDLED_CAPTURE: string = fileURLToPath(
  new URL('./capture/bundled/quick-start.scap', import.meta.url),
);

/** How long streams may take to drain at the end. */
const STOP_TIMEOUT_MS = 5000;
/** How long the first client waits for runtimes that do not say what runs. */
const LIST_WAIT_MS = 1000;
/** How long a replay answers questions after its stream has ended. */
const REPLAY_LINGER_MS = 10_000;

export interface App {
  /** Addresses listened on, once started. */
  readonly addresses: readonly string[];
  /** Opens the source and listens. Rejects with what cannot be done; nothing is left running then. */
  start(): Promise<void>;
  /** Ends streams in good order, then everything. */
  stop(): Promise<void>;
}

export function createApp(config: Config, logger: Logger): App {
  return new StrataApp(config, logger);
}

class StrataApp implements App {
  readonly addresses: string[];
  private readonly config: Config;
  private readonly logger: Logger;
  private readonly worker: WorkerConfig;
  private readonly pool: InspectorPool;
  private readonly rpc: RpcServer;
  /** Live sources only. */
  private readonly containers: ContainerLayer | undefined;
  private readonly kubernetes: KubernetesLayer | undefined;

  constructor(config: Config, logger: Logger) {
    this.config = config;
    this.logger = logger;
    this.addresses = [];
    this.worker = workerConfig(config);
    this.containers = this.worker.containers.isAsked
      ? new ContainerLayer(runtimeOptions(config), logger, (isHealthy) =>
          this.rpc.setContainersKnown(isHealthy),
        )
      : undefined;
    const kubernetes = this.worker.engine === 'savefile' ? undefined : kubernetesOptions(config, process.env);
    this.kubernetes =
      kubernetes &&
      new KubernetesLayer(kubernetes, logger, (isHealthy) => this.rpc.setKubernetesKnown(isHealthy));
    this.pool = new InspectorPool({
      worker: this.worker,
      replaysMax: config['replays-max'],
      containers: this.containers,
      pods: this.kubernetes,
    });
    this.rpc = createRpcServer({
      inspectors: this.pool,
      catalog: { fields: FIELD_ROWS, checkFilter },
      serverVersion: projectVersion(),
      startTimestampNs: BigInt(Date.now()) * 1_000_000n,
      limits: {
        subscriptionsMax: config['subscriptions-max'],
        backlogBytesMax: config['backlog-bytes-max'],
        replayLingerMs: REPLAY_LINGER_MS,
      },
      clock: {
        nowNs: () => BigInt(Date.now()) * 1_000_000n,
        after: (delayMs, callback) => {
          const timer = globalThis.setTimeout(callback, delayMs);
          return () => clearTimeout(timer);
        },
      },
      log: logger,
      runtimes: this.containers,
      kubernetes: this.kubernetes,
      extraCounters: () => [
        {
          name: 'replays_started',
          value: BigInt(this.pool.counters.replaysStarted),
          description: 'private replays of the capture started',
        },
        {
          name: 'replays_refused',
          value: BigInt(this.pool.counters.replaysRefused),
          description: 'private replays refused because replays-max were running',
        },
      ],
    });
  }

  async start(): Promise<void> {
    const { config, logger } = this;
    // Beside the inspector, which waits for the list of what runs before its first event, but not for long.
    const listed = this.containers?.start();
    if (listed === undefined) this.rpc.setContainersKnown(true);
    if (this.kubernetes === undefined) this.rpc.setKubernetesKnown(true);
    const podsTold = this.kubernetes?.start();
    try {
      await this.pool.start((error) => {
        logger.error({ err: error }, 'the inspector has ended');
        this.rpc.setServing(false);
        this.rpc.setCapturing(false);
      });
      this.tellSource();
      // Whoever asks for containers or pods first is not answered without what runtimes and the API server know.
      const told = Promise.all([listed, podsTold]);
      if (listed !== undefined || podsTold !== undefined)
        await Promise.race([told, setTimeout(LIST_WAIT_MS, undefined, { ref: false })]);
      for (const address of config.listen) await this.listen(address);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.rpc.setServing(true);
    const { engine, captureName } = this.worker;
    logger.info(
      { addresses: this.addresses, ...(engine === 'savefile' ? { capture: captureName } : {}) },
      'serving',
    );
  }

  /** Says what events come from, loudly when there are none. */
  private tellSource(): void {
    const { source } = this.pool;
    if (source === undefined) return;
    const { engine, fallbackReason } = source;
    this.rpc.setCapturing(engine !== 'nodriver');
    if (fallbackReason !== '') {
      this.logger.warn(
        { engine, reason: fallbackReason },
        'live capture is not possible: there will be NO EVENTS, only the state read from /proc',
      );
    } else {
      this.logger.info({ engine }, 'capturing');
    }
  }

  async stop(): Promise<void> {
    this.rpc.setServing(false);
    await this.rpc.stop(STOP_TIMEOUT_MS);
    await this.pool.stop();
    await this.containers?.stop();
    await this.kubernetes?.stop();
  }

  private async listen(address: string): Promise<void> {
    if (address.startsWith('unix:')) {
      const path = address.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
      await this.rpc.listenUnix(path, parseMode(this.config['socket-mode']));
      this.addresses.push(`unix:${path}`);
      return;
    }
    const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
    if (match === null) throw new ConfigError(`--listen: expected unix:PATH or HOST:PORT, got '${address}'`);
    if (!this.config['insecure-loopback']) {
      throw new ConfigError(
        `--listen ${address}: this version has no TLS; plaintext TCP needs --insecure-loopback and a loopback address`,
      );
    }
    const host = match[1] ?? (match[2] as string);
    const port = await this.rpc.listenLoopback(host, Number(match[3]));
    this.addresses.push(`${host.includes(':') ? `[${host}]` : host}:${port}`);
  }
}

function workerConfig(config: Config): WorkerConfig {
  const capturePath = config.capture ?? BUNDLED_CAPTURE;
  const engine = engineChoice(config);
  return {
    engine,
    capturePath,
    live: {
      ...liveOptions(config),
      foreignSocket: foreignSocket(runtimeOptions(config), process.getuid?.() ?? 0),
    },
    captureName: engine === 'savefile' ? basename(capturePath) : '',
    nodeName: config['node-name'] ?? '',
    speed: config['capture-speed'],
    waitSubscribers: config['capture-wait-subscribers'],
    retainEvents: config['retain-events'],
    retainBytes: config['retain-bytes'],
    blockBytesMax: config['block-bytes-max'],
    threadsMax: config['threads-max'],
    fdsPerProcessMax: config['fds-per-process-max'],
    usersMax: config['users-max'],
    containersMax: config['containers-max'],
    podsMax: config['pods-max'],
    containers: {
      isAsked: engine !== 'savefile' && config.containers,
      lookupMs: config['container-lookup-ms'],
      lingerMs: config['container-linger-ms'],
      holdMs: config['complete-hold-ms'],
      holdEventsMax: config['complete-hold-events'],
      holdBytesMax: config['complete-hold-bytes'],
    },
  };
}

/** A capture file that is named is what is wanted, unless the engine says otherwise. */
function engineChoice(config: Config): WorkerConfig['engine'] {
  const engine = config['capture-engine'] as WorkerConfig['engine'];
  if (config.capture === undefined) return engine;
  if (engine === 'auto' || engine === 'savefile') return 'savefile';
  throw new ConfigError(`--capture and --capture-engine ${engine} exclude each other`);
}

function parseMode(text: string): number {
  if (!/^[0-7]{3,4}$/.test(text))
    throw new ConfigError(`--socket-mode: expected octal bits such as 0660, got '${text}'`);
  return Number.parseInt(text, 8);
}

function projectVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
