/** When a runtime says by itself that a container is there: its own API, asked again and again, beside the server under test. */
import type { ContainerDriver } from '../lab/container-driver.ts';

const INTERVAL_MS = 5;

export class RuntimeWatch {
  /** First answer with the container and its image, by full id; clock of `performance.now()`. */
  readonly knownMs: Map<string, number>;
  private readonly driver: ContainerDriver;
  private readonly done: Promise<void>;
  private isStopped: boolean;

  constructor(driver: ContainerDriver) {
    this.driver = driver;
    this.knownMs = new Map();
    this.isStopped = false;
    this.done = this.poll();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.done;
  }

  private async poll(): Promise<void> {
    while (!this.isStopped) {
      const listed = await this.driver.list().catch(() => []);
      const nowMs = performance.now();
      for (const { id, image } of listed)
        if (image !== '' && !this.knownMs.has(id)) this.knownMs.set(id, nowMs);
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  }
}
