/**
 * How long a recording runs: by the monotonic clock for live sources; for capture files, which are read as fast as they can be,
 * by the times of their events.
 */
import type { EventRecord } from '../event/event-record.ts';
import { u64Difference } from '../event/u64.ts';
import type { LoopView } from './subscription.ts';

export class RecordingClock {
  private readonly loop: LoopView;
  private readonly usesEvents: boolean;
  private startMs: number;
  private fileStartMs: number;
  private hasFirst: boolean;
  private firstTsHi: number;
  private firstTsLo: number;
  /** Of the last event, since the first one. */
  private eventMs: number;

  constructor(loop: LoopView) {
    this.loop = loop;
    this.usesEvents = loop.captureBytesRead !== undefined;
    this.startMs = 0;
    this.fileStartMs = 0;
    this.hasFirst = false;
    this.firstTsHi = 0;
    this.firstTsLo = 0;
    this.eventMs = 0;
  }

  start(): void {
    if (!this.usesEvents) this.startMs = this.loop.nowMs();
    this.startFile();
  }

  startFile(): void {
    this.fileStartMs = this.usesEvents ? this.eventMs : this.loop.nowMs();
  }

  onEvent({ tsHi, tsLo }: EventRecord): void {
    if (!this.usesEvents) return;
    if (!this.hasFirst) {
      this.hasFirst = true;
      this.firstTsHi = tsHi;
      this.firstTsLo = tsLo;
    }
    this.eventMs = u64Difference(tsHi, tsLo, this.firstTsHi, this.firstTsLo) / 1e6;
  }

  /** To be asked between events: whether the recording has run for so long. */
  hasPassed(durationMs: number): boolean {
    return !this.usesEvents && this.loop.nowMs() - this.startMs >= durationMs;
  }

  hasFilePassed(durationMs: number): boolean {
    return !this.usesEvents && this.loop.nowMs() - this.fileStartMs >= durationMs;
  }

  /** To be asked for an event that `onEvent` has been given: whether it comes so long after the first. */
  hasEventPassed(durationMs: number): boolean {
    return this.usesEvents && this.eventMs >= durationMs;
  }

  hasFileEventPassed(durationMs: number): boolean {
    return this.usesEvents && this.eventMs - this.fileStartMs >= durationMs;
  }
}
