/**
 * Lists that several pods need, each followed once: the services of a namespace, one owner, one namespace object. A list is followed
 * while somebody needs it, and for a while after, as pods of one owner come and go.
 */
import type { JsonObject } from '../container/container-json.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeClock } from './kube-clock.ts';
import { objectKey, Reflector, type ReflectorCounters, type ReflectorState } from './reflector.ts';

export interface SharedList<Facts> {
  /** By uid. */
  readonly objects: ReadonlyMap<string, Facts>;
  /** Nothing more is to be expected soon: it was read, or cannot be. */
  readonly isSettled: boolean;
  /** The server does not have this kind. */
  readonly isAbsent: boolean;
}

export interface SharedReflectorOptions<Facts> {
  readonly client: KubeClient;
  readonly clock: KubeClock;
  /** Lists followed at a time; more are not followed and counted. */
  readonly listsMax: number;
  /** How long a list is followed that nobody needs. */
  readonly lingerMs: number;
  readonly watchMs: number;
  readonly retryMsMax: number;
  readonly pageSize: number;
  readonly pageWaitMs: number;
  readonly factsOf: (object: JsonObject) => Facts;
  /** Something about the list with this key has changed. */
  readonly onChanged: (key: string) => void;
  readonly onStatusChanged: () => void;
}

/** What is followed under a key. */
export interface ListRequest {
  /** For status. */
  readonly name: string;
  readonly path: string;
  readonly fieldSelector?: string | undefined;
  readonly isMetadataOnly: boolean;
}

interface Entry<Facts> {
  readonly reflector: Reflector;
  readonly objects: Map<string, Facts>;
  /** Undefined while somebody needs it. */
  idleSinceMs: number | undefined;
}

const NOTHING: SharedList<never> = { objects: new Map<string, never>(), isSettled: true, isAbsent: false };
/** States from which nothing comes before something changes at the server. */
const HOPELESS: ReadonlySet<ReflectorState> = new Set(['forbidden', 'absent', 'failing']);

export class SharedReflectors<Facts> {
  /** Lists not followed because there were too many. */
  refused: number;
  private readonly options: SharedReflectorOptions<Facts>;
  private readonly entries: Map<string, Entry<Facts>>;
  private readonly retired: ReflectorCounters;

  constructor(options: SharedReflectorOptions<Facts>) {
    this.options = options;
    this.entries = new Map();
    this.refused = 0;
    this.retired = { lists: 0, relists: 0, watches: 0, bookmarks: 0, failures: 0, throttled: 0 };
  }

  get size(): number {
    return this.entries.size;
  }

  /** What is known under the key; from the first call on it is followed. */
  need(key: string, request: () => ListRequest): SharedList<Facts> {
    const entry = this.entries.get(key) ?? this.follow(key, request);
    if (entry === undefined) return NOTHING;
    entry.idleSinceMs = undefined;
    const { reflector, objects } = entry;
    const { state, isListed } = reflector;
    return { objects, isSettled: isListed || HOPELESS.has(state), isAbsent: state === 'absent' };
  }

  /** Lets go of what is not among the keys needed, some time after it was last needed. True when some of it is left. */
  keep(needed: ReadonlySet<string>): boolean {
    const now = this.options.clock.nowMs();
    let isIdle = false;
    for (const [key, entry] of this.entries) {
      if (needed.has(key)) continue;
      entry.idleSinceMs ??= now;
      if (now - entry.idleSinceMs < this.options.lingerMs) {
        isIdle = true;
        continue;
      }
      this.entries.delete(key);
      this.retire(entry.reflector);
    }
    return isIdle;
  }

  reflectors(): Reflector[] {
    return [...this.entries.values()].map(({ reflector }) => reflector);
  }

  /** Sums over all lists there ever were. */
  counters(): ReflectorCounters {
    const sum = { ...this.retired };
    for (const { reflector } of this.entries.values()) addCounters(sum, reflector.counters);
    return sum;
  }

  async stop(): Promise<void> {
    const reflectors = this.reflectors();
    this.entries.clear();
    await Promise.all(reflectors.map((reflector) => reflector.stop()));
  }

  private follow(key: string, request: () => ListRequest): Entry<Facts> | undefined {
    const { client, clock, listsMax, watchMs, retryMsMax, pageSize, pageWaitMs, onChanged, onStatusChanged } =
      this.options;
    if (this.entries.size >= listsMax) {
      this.refused++;
      return undefined;
    }
    const objects = new Map<string, Facts>();
    // Late calls of a list that was let go of change nothing.
    const isCurrent = (): boolean => this.entries.get(key)?.objects === objects;
    const changed = (): void => {
      if (isCurrent()) onChanged(key);
    };
    const listener = {
      onObject: (object: JsonObject) => {
        objects.set(objectKey(object), this.options.factsOf(object));
        changed();
      },
      onDeleted: (object: JsonObject) => {
        objects.delete(objectKey(object));
        changed();
      },
      onListed: (keys: ReadonlySet<string>) => {
        for (const uid of [...objects.keys()]) {
          if (!keys.has(uid)) objects.delete(uid);
        }
        changed();
      },
      onStatusChanged: () => {
        changed();
        onStatusChanged();
      },
    };
    const reflector = new Reflector(
      { ...request(), watchMs, retryMsMax, pageSize, pageWaitMs },
      client,
      listener,
      clock,
    );
    const entry = { reflector, objects, idleSinceMs: undefined };
    this.entries.set(key, entry);
    reflector.start();
    return entry;
  }

  private retire(reflector: Reflector): void {
    reflector.stop().then(
      () => addCounters(this.retired, reflector.counters),
      () => undefined,
    );
  }
}

function addCounters(sum: ReflectorCounters, counters: ReflectorCounters): void {
  for (const name of Object.keys(sum) as (keyof ReflectorCounters)[]) sum[name] += counters[name];
}
