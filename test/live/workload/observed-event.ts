/** One captured event with its record copied out of the engine's buffer. */
import { EventRecord } from '../../../server/event/event-record.ts';

export class ObservedEvent {
  readonly tid: number;
  readonly name: string;
  readonly record: EventRecord;

  /** Copies what `record` points at. */
  constructor(record: EventRecord) {
    const bytes = Buffer.from(record.bytes.subarray(record.offset, record.offset + record.length));
    this.record = new EventRecord();
    this.record.attach(bytes);
    this.record.load(0, record.cpu, record.flags);
    this.tid = record.tid;
    this.name = record.info.name;
  }

  /** Whether the event is a system call of a kind that has no event of its own. */
  get isGeneric(): boolean {
    return this.record.info.code === 'PPME_GENERIC_X';
  }

  /** Kernel number of a generic call. */
  get nativeNumber(): number {
    return this.record.number(1);
  }

  /** Result as 64 bits, signed; undefined for events without one. */
  get result(): bigint | undefined {
    const { info } = this.record;
    if (this.isGeneric || info.params.length === 0 || this.record.isEmpty(0)) return undefined;
    return BigInt.asIntN(
      64,
      this.isUnsignedResult ? BigInt(this.record.unsigned(0)) : BigInt(this.record.signed(0)),
    );
  }

  get isUnsignedResult(): boolean {
    const type = this.record.info.params[0]?.type;
    return type === 'UID' || type === 'GID' || type === 'UINT64';
  }

  /** Position of a parameter; -1 for a name the event type does not have. */
  indexOf(param: string): number {
    return this.record.info.params.findIndex((row) => row.name === param);
  }
}
