/**
 * One recording inside the inspector's thread: which events go into the file and how, where files begin and end, chunks,
 * credit. Events are copied as they are; what no longer finds room is left out whole, counted, and marked in the file.
 */
import { emptyInterest, type Interest, WANT_ALL, WANT_PAYLOAD } from '../capture/interest.ts';
import { BlockEncoder } from '../capture/savefile/block-encoder.ts';
import { encodeEvent } from '../capture/savefile/event-encoder.ts';
import type { EventRecord } from '../event/event-record.ts';
import { EF_READS_FROM_FD, EF_WRITES_TO_FD, EVENT_TABLE } from '../event/event-table.ts';
import { PPM_EVENT_MAX, PPME_DROP_E, PPME_DROP_X } from '../event/event-types.ts';
import { u64Big } from '../event/u64.ts';
import type { CompiledFilter } from '../filter/filter.ts';
import { HANDLED_TYPES } from '../parser/event-parser.ts';
import {
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_IPV6_SERVSOCK,
  FD_IPV6_SOCK,
  FD_UNIX_SOCK,
} from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { OsState } from '../state/os-state.ts';
import type { EventReader } from './inspector.ts';
import { RecordingClock } from './recording-clock.ts';
import { buildRecord, DATA_INDEXES, encodeCutEvent, hasMoreData } from './recording-events.ts';
import type {
  RecordingEnd,
  RecordingEndReason,
  RecordingListener,
  RecordingProgress,
  RecordingRequest,
} from './recording-feed.ts';
import { encodeState } from './recording-state.ts';
import type { LoopView } from './subscription.ts';

const FLAG_STATE_ONLY = 1;
/** Chunks are passed on when they are this long. */
const CHUNK_BYTES = 262_144;
const DATA_FLAGS = EF_READS_FROM_FD | EF_WRITES_TO_FD;
/** Fds whose row may change with the data they carry. */
const SOCKET_TYPES: ReadonlySet<number> = new Set([
  FD_IPV4_SOCK,
  FD_IPV6_SOCK,
  FD_IPV4_SERVSOCK,
  FD_IPV6_SERVSOCK,
  FD_UNIX_SOCK,
]);
/** After a stop, the source is taken to have nothing older left when so many ticks brought nothing. */
const QUIET_TICKS = 3;
/** And at the latest after this long. */
const STOP_TIMEOUT_MS = 1000;
/** Room for the difference between the clock and the times of events. */
const STOP_SLACK_NS = 2_000_000n;

/** What a recording needs to know of the loop it stands in. */
export interface RecordingLoop extends LoopView {
  /** The last event of the loop; for its time only. */
  readonly record: EventRecord;
}

/** A kind of outcome for one event. */
type Fate = 'show' | 'state-only' | 'leave-out';

export class Recording implements EventReader {
  readonly eventTypes: Uint8Array;
  readonly interest: Interest;
  private readonly request: RecordingRequest;
  private readonly filter: CompiledFilter;
  private readonly state: OsState;
  private readonly listener: RecordingListener;
  private readonly loop: RecordingLoop;
  private readonly clock: RecordingClock;
  private readonly encoder: BlockEncoder;
  private readonly shownAtStart: number;
  private file: number;
  /** Bytes of the files so far, those of the chunk under way included; and of the last file alone. */
  private byteCount: number;
  private fileBytes: number;
  private fileEvents: number;
  /** Bytes that the state at the start of the last file takes. */
  private stateBytes: number;
  private eventCount: number;
  private stateOnlyCount: number;
  private lostCount: number;
  private backlogLostCount: number;
  private backlogLostStateCount: number;
  /** Events left out since the last one written, and the record that says where it began. */
  private gapCount: number;
  private gapStart: EventRecord | undefined;
  private firstNum: number | undefined;
  private lastNum: number | undefined;
  private firstTsNs: bigint | undefined;
  private lastTsHi: number;
  private lastTsLo: number;
  private threadCount: number;
  private bytesUnderWay: number;
  private chunkSinceMs: number;
  private stopTsNs: bigint | undefined;
  private stoppedAtMs: number;
  private shownAtTick: number;
  private quietTicks: number;
  private hasBegun: boolean;
  private hasEnded: boolean;

  constructor(
    request: RecordingRequest,
    filter: CompiledFilter,
    state: OsState,
    listener: RecordingListener,
    loop: RecordingLoop,
  ) {
    this.request = request;
    this.filter = filter;
    this.state = state;
    this.listener = listener;
    this.loop = loop;
    this.clock = new RecordingClock(loop);
    this.eventTypes = new Uint8Array(PPM_EVENT_MAX).fill(1);
    this.interest = interestOf(filter, request.snaplenBytes > 0);
    this.encoder = new BlockEncoder(CHUNK_BYTES * 2);
    this.shownAtStart = loop.eventsShown;
    this.file = 0;
    this.byteCount = 0;
    this.fileBytes = 0;
    this.fileEvents = 0;
    this.stateBytes = 0;
    this.eventCount = 0;
    this.stateOnlyCount = 0;
    this.lostCount = 0;
    this.backlogLostCount = 0;
    this.backlogLostStateCount = 0;
    this.gapCount = 0;
    this.gapStart = undefined;
    this.firstNum = undefined;
    this.lastNum = undefined;
    this.firstTsNs = undefined;
    this.lastTsHi = 0;
    this.lastTsLo = 0;
    this.threadCount = 0;
    this.bytesUnderWay = 0;
    this.chunkSinceMs = 0;
    this.stopTsNs = undefined;
    this.stoppedAtMs = 0;
    this.shownAtTick = 0;
    this.quietTicks = 0;
    this.hasBegun = false;
    this.hasEnded = false;
  }

  get isEnded(): boolean {
    return this.hasEnded;
  }

  get isHolding(): boolean {
    return this.request.holdsSource && this.hasNoCredit() && !this.hasEnded;
  }

  /** Writes the start of the file. From the next event on, everything is in it. */
  begin(): void {
    if (this.hasEnded) return;
    this.hasBegun = true;
    this.clock.start();
    this.writeState();
    // The start comes on top of the credit: it must be written whatever it takes.
    this.flush();
    this.bytesUnderWay = 0;
  }

  onEvent(event: InspectedEvent): void {
    if (this.hasEnded) return;
    const { record } = event;
    if (this.isPastEnd(record)) return;
    const fate = this.fateOf(event);
    if (fate === 'leave-out') return;
    if (!this.request.holdsSource && this.hasNoCredit()) {
      this.lose(record, HANDLED_TYPES[record.type] === 1);
      return;
    }
    if (this.gapCount > 0) this.writeGap(record);
    this.take(record, fate);
  }

  /** Files change between two events only: the state a file starts with is the one its first event finds. */
  afterEvent(): void {
    if (this.hasEnded || this.fileEvents === 0) return;
    const { request, clock } = this;
    // A large state does not make files that hold little else.
    const isFull = this.fileBytes >= request.rotateBytes && this.fileBytes >= 2 * this.stateBytes;
    if (isFull || clock.hasFileEventPassed(request.rotateDurationMs)) this.rotate();
  }

  /** Between two events: the state has changed without one. `record` says how. */
  onStateChange(record: EventRecord): void {
    if (this.hasEnded) return;
    if (!this.request.holdsSource && this.hasNoCredit()) this.lose(record, true);
    else this.take(record, 'state-only');
  }

  onSourceLoss(count: number): void {
    if (!this.hasEnded) this.lostCount += count;
  }

  /** Passes on what has waited long enough, and looks at the clock. Called between events. */
  tick(): void {
    if (this.hasEnded || !this.hasBegun) return;
    if (this.clock.hasPassed(this.request.durationMsMax)) {
      this.end({ reason: 'duration-max' });
      return;
    }
    if (this.fileEvents > 0 && this.clock.hasFilePassed(this.request.rotateDurationMs)) this.rotate();
    if (this.stopTsNs !== undefined) this.tickStopping();
    const isOld = this.loop.nowMs() - this.chunkSinceMs >= this.request.latencyMs;
    if (!this.hasEnded && isOld && this.encoder.at > 0) this.flush();
  }

  /** Bytes taken over by the control plane. */
  ack(bytes: number): void {
    this.bytesUnderWay = Math.max(0, this.bytesUnderWay - bytes);
  }

  /** `nowNs`: time of the request, since the epoch. Events up to then are still taken, as far as the source has them. */
  stop(nowNs: bigint): void {
    if (this.hasEnded || this.stopTsNs !== undefined) return;
    if (this.loop.captureBytesRead !== undefined) {
      this.end({ reason: 'stopped' });
      return;
    }
    this.stopTsNs = nowNs + STOP_SLACK_NS;
    this.stoppedAtMs = this.loop.nowMs();
    this.shownAtTick = -1;
  }

  end(why: Pick<RecordingEnd, 'reason' | 'errorMessage' | 'errorOffset'>): void {
    if (this.hasEnded) return;
    // Ended before its first turn: a file all the same.
    if (!this.hasBegun) this.begin();
    if (this.gapCount > 0) this.writeGap(this.loop.record);
    // Readers refuse a file without any event.
    if (this.fileEvents === 0) this.write(buildRecord(PPME_DROP_X, [1], this.loop.record), 'state-only');
    this.flush();
    this.hasEnded = true;
    this.listener.onEnd({
      ...why,
      seenCount: this.loop.eventsShown - this.shownAtStart,
      progress: this.progress(),
    });
  }

  /** Ends without a word. */
  cancel(): void {
    this.hasEnded = true;
  }

  /** Ends the recording when the event is no longer part of it. */
  private isPastEnd(record: EventRecord): boolean {
    const { request, clock } = this;
    clock.onEvent(record);
    let reason: RecordingEndReason | undefined;
    if (clock.hasEventPassed(request.durationMsMax)) reason = 'duration-max';
    else if (this.stopTsNs !== undefined && u64Big(record.tsHi, record.tsLo) > this.stopTsNs) {
      reason = 'stopped';
    }
    if (reason === undefined) {
      return false;
    }
    this.end({ reason });
    return true;
  }

  private fateOf(event: InspectedEvent): Fate {
    const { record } = event;
    if ((record.flags & FLAG_STATE_ONLY) !== 0) return 'state-only';
    if (this.filter.eventTypes[record.type] === 1 && this.filter.matches(event)) return 'show';
    return changesState(event) ? 'state-only' : 'leave-out';
  }

  private take(record: EventRecord, fate: Fate): void {
    const { request } = this;
    if (!this.write(record, fate)) {
      this.end({ reason: 'bytes-max' });
      return;
    }
    if (fate === 'state-only') {
      this.stateOnlyCount++;
    } else {
      this.eventCount++;
      this.firstNum ??= record.num;
      this.firstTsNs ??= u64Big(record.tsHi, record.tsLo);
      this.lastNum = record.num;
      this.lastTsHi = record.tsHi;
      this.lastTsLo = record.tsLo;
    }
    if (this.eventCount >= request.eventsMax) this.end({ reason: 'events-max' });
    else if (this.encoder.at >= CHUNK_BYTES) this.flush();
  }

  /** Writes the event's block. False: it would exceed the limit of all files. */
  private write(record: EventRecord, fate: Fate): boolean {
    const { encoder, request } = this;
    if (encoder.at === 0) this.chunkSinceMs = this.loop.nowMs();
    const start = encoder.at;
    const flags = fate === 'state-only' ? record.flags | FLAG_STATE_ONLY : record.flags;
    // Whoever reads the state does not look at data.
    const dataMax = fate === 'state-only' ? 0 : request.snaplenBytes;
    if (hasMoreData(record, dataMax)) encodeCutEvent(encoder, record, flags, dataMax);
    else encodeEvent(encoder, record, flags);
    const n = encoder.at - start;
    if (this.byteCount + n > request.bytesMax) {
      encoder.cancel();
      return false;
    }
    this.count(n);
    this.fileEvents++;
    return true;
  }

  /** Ends the file and starts the next with the state of this moment. */
  private rotate(): void {
    this.flush();
    this.file++;
    this.fileBytes = 0;
    this.fileEvents = 0;
    this.clock.startFile();
    this.writeState();
    this.flush();
  }

  private writeState(): void {
    const { bytes, threads } = encodeState(this.state, this.loop.record);
    this.encoder.append(bytes);
    this.threadCount = threads;
    this.stateBytes = bytes.length;
    this.count(bytes.length);
  }

  private count(bytes: number): void {
    this.byteCount += bytes;
    this.fileBytes += bytes;
  }

  private hasNoCredit(): boolean {
    return this.bytesUnderWay >= this.request.creditBytes;
  }

  private lose(record: EventRecord, isState: boolean): void {
    if (this.gapCount === 0) this.gapStart = buildRecord(PPME_DROP_E, [1], record);
    this.gapCount++;
    this.backlogLostCount++;
    if (isState) this.backlogLostStateCount++;
  }

  /** A pair of drop events around the place where events are missing. */
  private writeGap(at: EventRecord): void {
    const { gapStart } = this;
    this.gapCount = 0;
    this.gapStart = undefined;
    if (gapStart === undefined) return;
    if (this.write(gapStart, 'show')) this.write(buildRecord(PPME_DROP_X, [1], at), 'show');
  }

  private tickStopping(): void {
    const { eventsShown } = this.loop;
    this.quietTicks = eventsShown === this.shownAtTick ? this.quietTicks + 1 : 0;
    this.shownAtTick = eventsShown;
    const waitedMs = this.loop.nowMs() - this.stoppedAtMs;
    if (this.quietTicks >= QUIET_TICKS || waitedMs >= STOP_TIMEOUT_MS) this.end({ reason: 'stopped' });
  }

  private flush(): void {
    if (this.encoder.at === 0) return;
    const taken = this.encoder.take();
    this.bytesUnderWay += taken.length;
    this.listener.onChunk({ bytes: taken, file: this.file, progress: this.progress() });
  }

  private progress(): RecordingProgress {
    return {
      eventCount: this.eventCount,
      stateOnlyCount: this.stateOnlyCount,
      byteCount: this.byteCount,
      lostCount: this.lostCount,
      backlogLostCount: this.backlogLostCount,
      backlogLostStateCount: this.backlogLostStateCount,
      firstNum: this.firstNum,
      lastNum: this.lastNum,
      firstTsNs: this.firstTsNs,
      lastTsNs: this.firstTsNs === undefined ? undefined : u64Big(this.lastTsHi, this.lastTsLo),
      captureBytesRead: this.loop.captureBytesRead,
      fileCount: this.file + 1,
      threadCount: this.threadCount,
    };
  }
}

/** Whether parsing the event may have changed the state. Reads and writes do that on sockets only. */
function changesState({ record, fd }: InspectedEvent): boolean {
  if (HANDLED_TYPES[record.type] !== 1) return false;
  if ((record.info.flags & DATA_FLAGS) === 0) return true;
  return fd !== undefined && (SOCKET_TYPES.has(fd.type) || fd.name === '');
}

function interestOf(filter: CompiledFilter, wantsData: boolean): Interest {
  const interest = emptyInterest();
  for (const { id } of EVENT_TABLE) {
    if (filter.eventTypes[id] !== 1) continue;
    const hasData = (DATA_INDEXES[id] as number) >= 0;
    interest[id] = hasData && wantsData ? WANT_ALL | WANT_PAYLOAD : WANT_ALL;
  }
  return interest;
}
