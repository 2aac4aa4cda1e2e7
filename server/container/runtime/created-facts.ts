/** Facts fetched when a container is created, told with its creation; what follows of the same container is told after it. */
import type { RuntimeContainer, RuntimeEvents } from './runtime-client.ts';

/** Fetches under way; beyond, creations are told without facts. */
const FETCHES_MAX = 64;

/** Containers that more may be told of before they start; beyond, the oldest are forgotten. */
const UNFINISHED_MAX = 1024;

interface Fetch {
  /** Told when the facts are. */
  readonly news: (() => void)[];
  /** The record has changed since they were asked for. */
  isStale: boolean;
}

/** `fetch` may reject: the creation is told all the same. */
export class CreatedFacts {
  private readonly events: RuntimeEvents;
  private readonly fetch: (id: string) => Promise<RuntimeContainer | undefined>;
  private readonly fetches: Map<string, Fetch>;
  /** Created, not started, and not all of it told. */
  private readonly unfinished: Set<string>;

  constructor(events: RuntimeEvents, fetch: (id: string) => Promise<RuntimeContainer | undefined>) {
    this.events = events;
    this.fetch = fetch;
    this.fetches = new Map();
    this.unfinished = new Set();
  }

  created(id: string): void {
    if (this.fetches.has(id)) return;
    if (this.fetches.size >= FETCHES_MAX) this.events.onCreated(id);
    else this.begin(id);
  }

  /** What was not told of it with its creation may be there now: then its creation is told again, with that. */
  updated(id: string): void {
    const fetch = this.fetches.get(id);
    if (fetch !== undefined) fetch.isStale = true;
    else if (this.unfinished.has(id) && this.fetches.size < FETCHES_MAX) this.begin(id);
  }

  started(id: string): void {
    this.inOrder(id, () => this.events.onStarted(id));
  }

  ended(id: string): void {
    this.inOrder(id, () => this.events.onEnded(id));
  }

  private begin(id: string): void {
    this.fetches.set(id, { news: [], isStale: false });
    this.fetch(id).then(
      (facts) => this.tell(id, facts),
      () => this.tell(id, undefined),
    );
  }

  private inOrder(id: string, news: () => void): void {
    const fetch = this.fetches.get(id);
    if (fetch !== undefined) {
      fetch.news.push(news);
      return;
    }
    this.unfinished.delete(id);
    news();
  }

  private tell(id: string, facts: RuntimeContainer | undefined): void {
    const fetch = this.fetches.get(id);
    this.fetches.delete(id);
    this.events.onCreated(id, facts);
    const news = fetch?.news ?? [];
    for (const one of news) one();
    this.unfinished.delete(id);
    if (news.length > 0 || facts === undefined || facts.row.isComplete) return;
    if (fetch?.isStale) this.begin(id);
    this.unfinished.add(id);
    if (this.unfinished.size <= UNFINISHED_MAX) return;
    for (const oldest of this.unfinished) {
      this.unfinished.delete(oldest);
      break;
    }
  }
}
