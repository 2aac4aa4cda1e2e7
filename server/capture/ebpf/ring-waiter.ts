/**
 * Waits until a ring has records, without a wake-up per record: the probe wakes only a reader that set the flag in its map `wake`.
 * The event loop itself watches the rings' fds, through one epoll fd, so that no thread is blocked.
 */
import { closeSync } from 'node:fs';
import { errnoName, libc } from './libc.ts';

const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const EPOLL_CLOEXEC = 0x80000;
const NAP_MS = 1;
/** Waking costs more than a record: above this many wake-ups a second, a nap of a millisecond collects records instead. */
const WAKES_PER_SECOND = 400;
const WAKES_BURST = 40;

type PollHandle = ReturnType<ReturnType<typeof libc>['koffi']['node']['poll']>;

export class RingWaiter {
  private readonly epollFd: number;
  private readonly handle: PollHandle;
  private readonly wake: BigUint64Array;
  private readonly waitMsMax: number;
  private readonly onReadable: () => void;
  private timer: NodeJS.Timeout | undefined;
  private resolve: (() => void) | undefined;
  private isWatching: boolean;
  private tokens: number;
  private tokensAtMs: number;

  /**
   * `wake`: the memory of the map of that name. `waitMsMax`: comes back by then in any case; also bounds the delay when a wake-up
   * crossed with the setting of the flag.
   */
  constructor(ringFds: readonly number[], wake: BigUint64Array, waitMsMax: number) {
    const c = libc();
    this.wake = wake;
    this.waitMsMax = waitMsMax;
    this.epollFd = c.epollCreate(EPOLL_CLOEXEC);
    if (this.epollFd < 0) throw new Error(`epoll_create1: ${errnoName(c.errno())}`);
    const event = Buffer.alloc(16);
    event.writeUInt32LE(EPOLLIN, 0);
    for (const fd of ringFds) {
      if (c.epollControl(this.epollFd, EPOLL_CTL_ADD, fd, event) < 0) {
        throw new Error(`epoll_ctl: ${errnoName(c.errno())}`);
      }
    }
    this.onReadable = () => this.finish();
    this.handle = c.koffi.node.poll(this.epollFd, { readable: true }, this.onReadable);
    this.handle.stop();
    this.isWatching = false;
    this.tokens = WAKES_BURST;
    this.tokensAtMs = performance.now();
  }

  /**
   * Waits for a record, a nap when there have been many wake-ups, or `waitMsMax`.
   * `hasInput` is asked once more after the flag was set. Resolves true when it slept until woken or timed out.
   */
  async wait(hasInput: () => boolean): Promise<boolean> {
    if (!this.takeToken()) {
      await this.nap();
      return false;
    }
    Atomics.store(this.wake, 0, 1n);
    if (hasInput()) {
      Atomics.store(this.wake, 0, 0n);
      return true;
    }
    await this.sleep(this.waitMsMax, true);
    Atomics.store(this.wake, 0, 0n);
    return true;
  }

  /** A millisecond. */
  nap(): Promise<void> {
    return this.sleep(NAP_MS, false);
  }

  /** Lets a wait return at once. */
  interrupt(): void {
    this.finish();
  }

  close(): void {
    this.finish();
    clearTimeout(this.timer);
    this.handle.close();
    closeSync(this.epollFd);
  }

  private sleep(ms: number, isWatching: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.resolve = resolve;
      this.isWatching = isWatching;
      if (isWatching) this.handle.start({ readable: true }, this.onReadable);
      this.timer = setTimeout(this.onReadable, ms);
    });
  }

  private finish(): void {
    const { resolve } = this;
    if (resolve === undefined) return;
    this.resolve = undefined;
    clearTimeout(this.timer);
    if (this.isWatching) this.handle.stop();
    this.isWatching = false;
    resolve();
  }

  private takeToken(): boolean {
    const now = performance.now();
    this.tokens = Math.min(WAKES_BURST, this.tokens + ((now - this.tokensAtMs) * WAKES_PER_SECOND) / 1000);
    this.tokensAtMs = now;
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }
}
