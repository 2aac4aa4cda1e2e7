/**
 * The pods of this node with all that is joined to them, kept current: one watch of pods by node name, and lists of what these pods
 * name. Nothing is read of other nodes' pods. Tells what has changed as pod updates, each once.
 */
import { type JsonObject, textOf } from '../container/container-json.ts';
import type { KubeAccess } from './kube-access.ts';
import { KubeClient, type KubeClientLimits, type KubeCounters } from './kube-client.ts';
import { type KubeClock, SYSTEM_KUBE_CLOCK } from './kube-clock.ts';
import {
  type ObjectFacts,
  objectFacts,
  type PodFacts,
  podFacts,
  type ServiceFacts,
  serviceFacts,
} from './object-facts.ts';
import { PodJoiner } from './pod-joiner.ts';
import { podJsonOf } from './pod-rows.ts';
import type { PodUpdate } from './pod-update.ts';
import { objectKey, Reflector, type ReflectorCounters, type ReflectorState } from './reflector.ts';
import { SharedReflectors } from './shared-reflectors.ts';

export interface PodSourceOptions {
  /** Name of this node at the API server; '' reads the pods of the whole cluster. */
  readonly nodeName: string;
  readonly limits: KubeClientLimits;
  readonly watchMs: number;
  /** Objects of a page of a long list, and the wait between two. */
  readonly pageSize: number;
  readonly pageWaitMs: number;
  readonly podsMax: number;
  /** Lists of owners, namespaces and services followed at a time. */
  readonly listsMax: number;
}

export interface PodSourceListener {
  onUpdates(updates: readonly PodUpdate[]): void;
  onStatusChanged(): void;
}

/** How one kind of object is followed, for status and health. */
export interface KindStatus {
  readonly kind: string;
  readonly listCount: number;
  readonly state: ReflectorState;
  readonly error: string;
}

export interface PodSourceStatus {
  readonly origin: string;
  readonly nodeName: string;
  readonly isSynced: boolean;
  readonly podCount: number;
  readonly podsRefused: number;
  readonly listsRefused: number;
  readonly kinds: readonly KindStatus[];
  readonly requests: KubeCounters;
  readonly reflectors: ReflectorCounters;
}

interface Held {
  readonly facts: PodFacts;
  json: string;
  objectKeys: readonly string[];
  serviceKey: string;
}

const LINGER_MS = 60_000;
/** Pods come first; what is joined to them changes seldom. */
const POD_RETRY_MS_MAX = 60_000;
const OBJECT_RETRY_MS_MAX = 300_000;
/** Worse states first: one list that fails is what the kind shows. */
const BADNESS: readonly ReflectorState[] = [
  'failing',
  'forbidden',
  'absent',
  'starting',
  'listing',
  'watching',
  'stopped',
];

export class PodSource {
  private readonly options: PodSourceOptions;
  private readonly access: KubeAccess;
  private readonly client: KubeClient;
  private readonly listener: PodSourceListener;
  private readonly pods: Reflector;
  private readonly objects: SharedReflectors<ObjectFacts>;
  private readonly services: SharedReflectors<ServiceFacts>;
  private readonly joiner: PodJoiner;
  private readonly held: Map<string, Held>;
  private readonly dirty: Set<string>;
  /** With the last JSON told of them. */
  private readonly gone: Map<string, string>;
  private readonly clock: KubeClock;
  private readonly abort: AbortController;
  private isFlushPlanned: boolean;
  private isLetGoPlanned: boolean;
  private isSynced: boolean;
  private isSyncTold: boolean;
  private isStopped: boolean;
  private podsRefused: number;

  constructor(
    options: PodSourceOptions,
    access: KubeAccess,
    listener: PodSourceListener,
    clock: KubeClock = SYSTEM_KUBE_CLOCK,
  ) {
    this.options = options;
    this.access = access;
    this.listener = listener;
    this.client = new KubeClient(access, options.limits);
    this.held = new Map();
    this.dirty = new Set();
    this.gone = new Map();
    this.clock = clock;
    this.abort = new AbortController();
    this.isFlushPlanned = false;
    this.isLetGoPlanned = false;
    this.isSynced = false;
    this.isSyncTold = false;
    this.isStopped = false;
    this.podsRefused = 0;
    const shared = {
      client: this.client,
      clock,
      listsMax: options.listsMax,
      lingerMs: LINGER_MS,
      watchMs: options.watchMs,
      retryMsMax: OBJECT_RETRY_MS_MAX,
      pageWaitMs: options.pageWaitMs,
      onStatusChanged: () => listener.onStatusChanged(),
    };
    this.objects = new SharedReflectors({
      ...shared,
      pageSize: 0,
      factsOf: (object) => objectFacts(object),
      onChanged: (key) => this.onListChanged((held) => held.objectKeys.includes(key)),
    });
    this.services = new SharedReflectors({
      ...shared,
      pageSize: options.pageSize,
      factsOf: (object) => serviceFacts(object),
      onChanged: (key) => this.onListChanged((held) => held.serviceKey === key),
    });
    this.joiner = new PodJoiner(this.objects, this.services);
    this.pods = new Reflector(
      {
        name: options.nodeName === '' ? 'pods' : `pods of ${options.nodeName}`,
        path: '/api/v1/pods',
        fieldSelector: options.nodeName === '' ? undefined : `spec.nodeName=${options.nodeName}`,
        // The server has pods indexed by node.
        pageSize: options.nodeName === '' ? options.pageSize : 0,
        pageWaitMs: options.pageWaitMs,
        watchMs: options.watchMs,
        retryMsMax: POD_RETRY_MS_MAX,
      },
      this.client,
      {
        onObject: (object) => this.onPod(object),
        onDeleted: (object) => this.onPodGone(objectKey(object)),
        onListed: (keys) => this.onPodsListed(keys),
        onStatusChanged: () => this.onPodsStatus(),
      },
      clock,
    );
  }

  start(): void {
    this.pods.start();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.abort.abort();
    await Promise.all([this.pods.stop(), this.objects.stop(), this.services.stop()]);
    await this.access.close();
  }

  status(): PodSourceStatus {
    const counters = { ...this.pods.counters };
    for (const sum of [this.objects.counters(), this.services.counters()]) {
      for (const name of Object.keys(counters) as (keyof ReflectorCounters)[]) counters[name] += sum[name];
    }
    return {
      origin: this.access.origin,
      nodeName: this.options.nodeName,
      isSynced: this.isSynced,
      podCount: this.held.size,
      podsRefused: this.podsRefused,
      listsRefused: this.objects.refused + this.services.refused,
      kinds: this.kinds(),
      requests: { ...this.client.counters },
      reflectors: counters,
    };
  }

  private kinds(): KindStatus[] {
    const named = [
      ...this.objects
        .reflectors()
        .map((reflector) => [reflector.options.name.split(' ', 1)[0] ?? '', reflector] as const),
      ...this.services.reflectors().map((reflector) => ['Service', reflector] as const),
    ];
    const groups = Map.groupBy([['Pod', this.pods] as const, ...named], ([kind]) => kind);
    return [...groups].map(([kind, rows]) => {
      const reflectors = rows.map(([, reflector]) => reflector);
      const worst = reflectors.reduce((a, b) => (badness(b) < badness(a) ? b : a));
      return { kind, listCount: reflectors.length, state: worst.state, error: worst.error };
    });
  }

  private onPod(object: JsonObject): void {
    const facts = podFacts(object);
    const { uid } = facts;
    if (uid === '' || !this.isOfNode(facts)) {
      this.onPodGone(objectKey(object));
      return;
    }
    const held = this.held.get(uid);
    if (held === undefined && this.held.size >= this.options.podsMax) {
      this.podsRefused++;
      return;
    }
    // Gone and back at once: it never left.
    const json = this.gone.get(uid) ?? '';
    this.gone.delete(uid);
    this.held.set(
      uid,
      held === undefined ? { facts, json, objectKeys: [], serviceKey: '' } : { ...held, facts },
    );
    this.mark(uid);
  }

  /** Whatever a server makes of selectors: pods of other nodes are none of ours. */
  private isOfNode({ nodeName }: PodFacts): boolean {
    return this.options.nodeName === '' || nodeName === textOf(this.options.nodeName);
  }

  private onPodGone(uid: string): void {
    const held = this.held.get(uid);
    if (held === undefined) return;
    this.held.delete(uid);
    this.dirty.delete(uid);
    // Of one that was never told nobody need know.
    if (held.json !== '') this.gone.set(uid, held.json);
    this.plan();
  }

  private onPodsListed(uids: ReadonlySet<string>): void {
    for (const uid of [...this.held.keys()]) {
      if (!uids.has(uid)) this.onPodGone(uid);
    }
    this.isSynced = true;
    this.plan();
  }

  /** Nobody should wait for pods that cannot be read. */
  private onPodsStatus(): void {
    if (badness(this.pods) <= BADNESS.indexOf('absent')) this.plan();
    this.listener.onStatusChanged();
  }

  private onListChanged(concerns: (held: Held) => boolean): void {
    for (const [uid, held] of this.held) {
      if (concerns(held)) this.mark(uid);
    }
  }

  private mark(uid: string): void {
    this.dirty.add(uid);
    this.plan();
  }

  /** Changes that come together are joined once. */
  private plan(): void {
    if (this.isFlushPlanned || this.isStopped) return;
    this.isFlushPlanned = true;
    setImmediate(() => {
      this.isFlushPlanned = false;
      if (!this.isStopped) this.flush();
    });
  }

  private flush(): void {
    const updates: PodUpdate[] = [...this.gone.keys()].map((uid) => ({ kind: 'gone', uid }));
    this.gone.clear();
    for (const uid of this.dirty) {
      const held = this.held.get(uid);
      if (held === undefined) continue;
      const { row, objectKeys, serviceKey } = this.joiner.join(held.facts);
      held.objectKeys = objectKeys;
      held.serviceKey = serviceKey;
      const json = podJsonOf(row);
      if (json === held.json) continue;
      held.json = json;
      updates.push({ kind: 'pod', uid, json, isComplete: row.isComplete });
    }
    this.dirty.clear();
    this.letGo();
    const isSettled = this.isSynced || badness(this.pods) <= BADNESS.indexOf('absent');
    if (isSettled && !this.isSyncTold) {
      this.isSyncTold = true;
      updates.push({ kind: 'synced' });
    }
    if (updates.length > 0) this.listener.onUpdates(updates);
  }

  private letGo(): void {
    const objectKeys = new Set<string>();
    const serviceKeys = new Set<string>();
    for (const held of this.held.values()) {
      for (const key of held.objectKeys) objectKeys.add(key);
      serviceKeys.add(held.serviceKey);
    }
    const isIdle = [this.objects.keep(objectKeys), this.services.keep(serviceKeys)].includes(true);
    if (isIdle) this.planLetGo();
  }

  /** Lists that nobody needs are looked at again when nothing else happens. */
  private planLetGo(): void {
    if (this.isLetGoPlanned) return;
    this.isLetGoPlanned = true;
    void this.clock.pause(LINGER_MS, this.abort.signal).then(() => {
      this.isLetGoPlanned = false;
      if (!this.isStopped) this.letGo();
    });
  }
}

function badness({ state }: Pick<Reflector, 'state'>): number {
  return BADNESS.indexOf(state);
}
