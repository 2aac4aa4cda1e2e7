/** From the start-up data of an inspector's thread to a host that runs: engine, state, loop. Falls back where that is wanted. */
import { type CaptureEngine, CaptureError } from '../capture/capture-engine.ts';
import { InjectingEngine } from '../capture/injecting-engine.ts';
import { makeLiveEngine } from '../capture/live-engine.ts';
import type { LiveOptions } from '../capture/live-options.ts';
import { Redactor } from '../capture/redaction.ts';
import { SavefileEngine } from '../capture/savefile/savefile-engine.ts';
import { ThreadHealer } from '../capture/snapshot/thread-healer.ts';
import { LostExits, presenceOf } from '../capture/snapshot/thread-presence.ts';
import type { ContainerRequest } from '../container/container-update.ts';
import { PPME_PAGE_FAULT_E, PPME_SCHEDSWITCH_6_E } from '../event/event-types.ts';
import { StrataError } from '../event/strata-error.ts';
import type { ParserOptions } from '../parser/parser-context.ts';
import { DEFAULT_STATE_LIMITS, OsState } from '../state/os-state.ts';
import { ContainerTracker } from './container-tracker.ts';
import { Healing } from './healing.ts';
import { IdentityWatch } from './identity-watch.ts';
import { Inspector } from './inspector.ts';
import { InspectorHost } from './inspector-host.ts';
import { PodTracker } from './pod-tracker.ts';
import type { EngineChoice, OpenedSource, WorkerConfig } from './protocol.ts';

/** How long the first event waits for the list of containers: rings between kernel and server hold more than that. */
const CONTAINERS_WAIT_MS = 500;

export interface OpenedInspector {
  readonly host: InspectorHost;
  readonly source: OpenedSource;
}

/** Engines by choice, best first. */
const CANDIDATES: Readonly<Record<EngineChoice, readonly CaptureEngine['name'][]>> = {
  savefile: ['savefile'],
  ebpf: ['ebpf'],
  nodriver: ['nodriver'],
  auto: ['ebpf', 'nodriver'],
};

/** Reaches those who know container runtimes. */
export type AskContainers = (request: ContainerRequest) => void;

/** Opens the best engine there is and starts the loop. Rejects with the error of the last one tried. */
export async function openInspector(config: WorkerConfig, ask: AskContainers): Promise<OpenedInspector> {
  let fallbackReason = '';
  const candidates = CANDIDATES[config.engine];
  for (const [index, name] of candidates.entries()) {
    try {
      const host = await startHost(config, await makeEngine(config, name), fallbackReason, ask);
      return { host, source: { engine: name, fallbackReason } };
    } catch (error) {
      if (index === candidates.length - 1) throw error;
      fallbackReason = error instanceof Error ? error.message : String(error);
    }
  }
  throw new StrataError({ code: 'INTERNAL', message: `no capture engine for '${config.engine}'` });
}

async function makeEngine(config: WorkerConfig, name: CaptureEngine['name']): Promise<CaptureEngine> {
  if (name === 'ebpf' || name === 'nodriver') return makeLiveEngine(name, config.live);
  return new SavefileEngine({ path: config.capturePath, limits: { blockBytesMax: config.blockBytesMax } });
}

async function startHost(
  config: WorkerConfig,
  source: CaptureEngine,
  fallbackReason: string,
  ask: AskContainers,
): Promise<InspectorHost> {
  const isLive = source.name !== 'savefile';
  const target = isLive ? new InjectingEngine(source) : undefined;
  const engine = target ?? source;
  let tracker: ContainerTracker | undefined;
  const retention = { eventsMax: config.retainEvents, bytesMax: config.retainBytes };
  const healing = engine.name === 'ebpf' ? makeHealing(config) : undefined;
  const parserOptions: ParserOptions = {
    ...(isLive ? liveParserOptions(config.live, healing) : {}),
    onContainerSeen: (fullId, type, tid) => tracker?.onThread(fullId, type, tid),
    onContainerStored: (key) => tracker?.onStored(key),
    onPodStored: () => tracker?.onPodStored(),
  };
  const inspector = new Inspector(
    newState(config),
    engine,
    retention,
    parserOptions,
    isLive ? unavailableTypes(config.live) : [],
  );
  const { lingerMs } = config.containers;
  const pods = target && new PodTracker(inspector.state, target, { lingerMs, nowMs });
  const containers = makeTracker(config, inspector, target, ask, pods);
  tracker = containers;
  const host = new InspectorHost(inspector, {
    nodeName: config.nodeName,
    captureName: config.captureName,
    speed: isLive ? 0 : config.speed,
    waitSubscribers: isLive ? 0 : config.waitSubscribers,
    nowMs,
    fallbackReason,
    healing,
    hold: {
      holdMs: config.containers.holdMs,
      eventsMax: config.containers.holdEventsMax,
      bytesMax: config.containers.holdBytesMax,
    },
    containers,
    pods,
    identities: isAsked(config, target) ? new IdentityWatch(containers, nowMs) : undefined,
    containersWaitMs: isAsked(config, target) ? CONTAINERS_WAIT_MS : 0,
  });
  try {
    await host.start();
  } catch (error) {
    await engine.close().catch(() => undefined);
    // What cannot be captured is the node's fault, not the server's.
    if (isLive && !(error instanceof StrataError) && !(error instanceof CaptureError))
      throw notPossible(error);
    throw error;
  }
  return host;
}

function isAsked(config: WorkerConfig, target: InjectingEngine | undefined): boolean {
  return target !== undefined && config.containers.isAsked;
}

function makeTracker(
  config: WorkerConfig,
  inspector: Inspector,
  target: InjectingEngine | undefined,
  request: AskContainers,
  pods: PodTracker | undefined,
): ContainerTracker {
  const { state, pending, parser, event } = inspector;
  const { lookupMs, lingerMs, holdMs } = config.containers;
  const liveMode = isAsked(config, target) ? 'ask' : 'none';
  return new ContainerTracker(
    { state, pending, parser, target, record: event.record },
    {
      mode: target === undefined ? 'wait' : liveMode,
      lookupMs,
      lingerMs,
      replayWaitMs: holdMs,
      nowMs,
      request,
      isPodMissing: pods && ((fullId) => pods.isMissing(fullId)),
    },
  );
}

function nowMs(): number {
  return performance.now();
}

/** Threads and fds that no event introduces are looked up beside the loop. */
function liveParserOptions({ hostRoot }: LiveOptions, healing: Healing | undefined): ParserOptions {
  return {
    hostRoot,
    tracksConnectionStatus: true,
    addsBootTime: true,
    onPlaceholder: (tid) => healing?.request(tid),
    onPassedFds: (tid) => healing?.request(tid),
  };
}

function makeHealing({ live, fdsPerProcessMax }: WorkerConfig): Healing | undefined {
  if (live.healBudget === 0) return undefined;
  const healer = new ThreadHealer({
    hostRoot: live.hostRoot,
    environment: live.collectEnv.length === 0 ? undefined : { allow: live.collectEnv },
    argsBytesMax: live.argsBytesMax,
    fdsPerProcessMax,
    perSecondMax: live.healBudget,
  });
  const redactor = new Redactor(live);
  return new Healing(healer, (entry) => redactor.thread(entry), new LostExits(presenceOf(live.hostRoot)));
}

/** Too many to be captured just because a subscription has no filter. */
function unavailableTypes({ pageFaults, contextSwitches }: LiveOptions): number[] {
  const types: number[] = [];
  if (!pageFaults) types.push(PPME_PAGE_FAULT_E);
  if (!contextSwitches) types.push(PPME_SCHEDSWITCH_6_E);
  return types;
}

function notPossible(error: unknown): StrataError {
  const message = error instanceof Error ? error.message : String(error);
  return new StrataError({ code: 'FAILED_PRECONDITION', message, reason: 'CAPTURE_ERROR' }, { cause: error });
}

function newState(config: WorkerConfig): OsState {
  return new OsState({
    ...DEFAULT_STATE_LIMITS,
    threadsMax: config.threadsMax,
    fdsPerProcessMax: config.fdsPerProcessMax,
    usersMax: config.usersMax,
    groupsMax: config.usersMax,
    containersMax: config.containersMax,
    podsMax: config.podsMax,
    // Events that wait for their container are read as of their time, too.
    undoEntriesMax: Math.max(65_536, 4 * config.retainEvents),
  });
}
