/** The event now in the loop together with the state it was read with: what filters and field extractors see. One object, reused. */
import type { EventRecord } from '../event/event-record.ts';
import type { FdInfo } from './fd-info.ts';
import type { StateView } from './os-state.ts';
import type { ThreadInfo } from './thread-info.ts';

export class InspectedEvent {
  readonly record: EventRecord;
  /** The state to read from: live in the loop, as of the event for a retained one. */
  state: StateView;
  /** Event source name, `syscall` for everything that is not a plugin's. */
  source: string;
  /** The thread that made the event; undefined when it has none or is unknown. */
  thread: ThreadInfo | undefined;
  /** The fd the event acts on or creates; undefined when it is not in the table (failed calls, lost opens). */
  fd: FdInfo | undefined;
  /** Its number as the call gave it, even when `fd` is undefined: -1 for none, -100 for AT_FDCWD. */
  fdNumber: number;
  /** Positive errno of a failed call, 0 otherwise. */
  errorCode: number;
  /** Whether parsing this event changed the name of its fd. */
  fdNameChanged: boolean;
  /** Timestamp of the first event of the capture and of the one before this. */
  firstTsHi: number;
  firstTsLo: number;
  previousTsHi: number;
  previousTsLo: number;
  /** Absolute path arguments and the like that the parser has already computed for this event. */
  readonly scratch: Map<string, string>;

  constructor(record: EventRecord, state: StateView) {
    this.record = record;
    this.state = state;
    this.source = 'syscall';
    this.thread = undefined;
    this.fd = undefined;
    this.fdNumber = -1;
    this.errorCode = 0;
    this.fdNameChanged = false;
    this.firstTsHi = 0;
    this.firstTsLo = 0;
    this.previousTsHi = 0;
    this.previousTsLo = 0;
    this.scratch = new Map();
  }
}
