/**
 * Containers that events come from and whose metadata is still being asked for. Readers that wait for it (or send it later) look
 * here; on the hot path that is one number while nothing is pending.
 */

/** How the wait for a container's metadata ended. */
export type SettleOutcome = 'complete' | 'timed-out' | 'failed';

export interface SettleListener {
  /** The row of this container is as good as it gets. Called between events, after the state has changed. */
  onSettled(fullId: string, outcome: SettleOutcome): void;
}

export class PendingContainers {
  /** How many there are: 0 most of the time. */
  count: number;
  private readonly ids: Set<string>;
  private readonly listeners: Set<SettleListener>;

  constructor() {
    this.count = 0;
    this.ids = new Set();
    this.listeners = new Set();
  }

  has(fullId: string): boolean {
    return this.count > 0 && this.ids.has(fullId);
  }

  begin(fullId: string): void {
    this.ids.add(fullId);
    this.count = this.ids.size;
  }

  /** Ends the wait. Whether there was one. */
  settle(fullId: string, outcome: SettleOutcome): boolean {
    if (!this.ids.delete(fullId)) return false;
    this.count = this.ids.size;
    for (const listener of this.listeners) listener.onSettled(fullId, outcome);
    return true;
  }

  addListener(listener: SettleListener): void {
    this.listeners.add(listener);
  }

  removeListener(listener: SettleListener): void {
    this.listeners.delete(listener);
  }
}
