/** Facts fetched when a container is created, told with its creation; what follows of the same container is told after it. */
import type { RuntimeContainer, RuntimeEvents } from './runtime-client.ts';

/** Fetches under way; beyond, creations are told without facts. */
const FETCHES_MAX = 64;

/** `fetch` may reject: the creation is told all the same. */
export class CreatedFacts {
  private readonly events: RuntimeEvents;
  private readonly fetch: (id: string) => Promise<RuntimeContainer | undefined>;
  /** What is to be told of containers whose facts are being fetched. */
  private readonly waiting: Map<string, (() => void)[]>;

  constructor(events: RuntimeEvents, fetch: (id: string) => Promise<RuntimeContainer | undefined>) {
    this.events = events;
    this.fetch = fetch;
    this.waiting = new Map();
  }

  created(id: string): void {
    if (this.waiting.has(id)) return;
    if (this.waiting.size >= FETCHES_MAX) {
      this.events.onCreated(id);
      return;
    }
    this.waiting.set(id, []);
    this.fetch(id).then(
      (facts) => this.tell(id, facts),
      () => this.tell(id, undefined),
    );
  }

  started(id: string): void {
    this.inOrder(id, () => this.events.onStarted(id));
  }

  ended(id: string): void {
    this.inOrder(id, () => this.events.onEnded(id));
  }

  private inOrder(id: string, news: () => void): void {
    const waiting = this.waiting.get(id);
    if (waiting === undefined) news();
    else waiting.push(news);
  }

  private tell(id: string, facts: RuntimeContainer | undefined): void {
    const news = this.waiting.get(id) ?? [];
    this.waiting.delete(id);
    this.events.onCreated(id, facts);
    for (const one of news) one();
  }
}
