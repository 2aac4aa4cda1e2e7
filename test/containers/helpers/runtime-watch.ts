/** When a runtime says by itself that a container is there: its own API, asked again and again, beside the server under test. */
import type { ContainerDriver } from '../lab/container-driver.ts';

const INTERVAL_MS = 5;

export class RuntimeWatch {
  /** First list with the container and its image, by full id; clock of `performance.now()`. */
  readonly listedMs: Map<string, number>;
  /** First answer about this container alone, with everything: asked for as soon as it is listed. */
  readonly toldMs: Map<string, number>;
  private readonly driver: ContainerDriver;
  private readonly done: Promise<void>;
  private readonly queries: Promise<void>[];
  private isStopped: boolean;

  constructor(driver: ContainerDriver) {
    this.driver = driver;
    this.listedMs = new Map();
    this.toldMs = new Map();
    this.queries = [];
    this.isStopped = false;
    this.done = this.poll();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.done;
    await Promise.all(this.queries);
  }

  private async poll(): Promise<void> {
    while (!this.isStopped) {
      const listed = await this.driver.list().catch(() => []);
      const nowMs = performance.now();
      for (const { id, image } of listed)
        if (image !== '' && !this.listedMs.has(id)) {
          this.listedMs.set(id, nowMs);
          this.queries.push(this.query(id));
        }
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  }

  /** One that ends before it has told everything is left out. */
  private async query(id: string): Promise<void> {
    await this.driver.query(id).then(
      () => this.toldMs.set(id, performance.now()),
      () => undefined,
    );
  }
}
