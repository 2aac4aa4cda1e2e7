/** The probe alone, without an inspector: what it writes for a few system calls and tracepoints, decoded by the event table. */

import { BootClock } from '../../../server/capture/ebpf/boot-clock.ts';
import { Probe } from '../../../server/capture/ebpf/probe.ts';
import {
  ARGS_BYTES_MAX,
  COMM_BYTES,
  CONFIG,
  EVENT_EXEC,
  EVENT_EXIT,
  EVENT_FORK,
  EVENT_PAGE_FAULT,
  EVENT_SIGNAL,
  EVENT_SWITCH,
} from '../../../server/capture/ebpf/probe-abi.ts';
import { Ring } from '../../../server/capture/ebpf/ring.ts';
import { compatNumbers, flagTables, syscallRows } from '../../../server/capture/ebpf/syscall-rows.ts';
import { EventRecord } from '../../../server/event/event-record.ts';
import { mustEventInfo } from '../../../server/event/event-table.ts';
import type { Integer } from '../../../server/event/u64.ts';

export interface RawProbeOptions {
  /** Programs of tracepoints, e.g. `tp_exec`. */
  readonly tracepoints: readonly string[];
  /** Names of system calls. */
  readonly syscalls: readonly string[];
  readonly wantsEnv?: boolean;
  /** Bytes of data at most; without it data is empty. */
  readonly snaplen?: number;
  /** Processes under these names are suppressed. */
  readonly comms?: readonly string[];
}

export type RawValue = Integer | string | undefined;

export interface RawEvent {
  /** Name of the event's constant. */
  readonly code: string;
  readonly tid: number;
  readonly timestampNs: bigint;
  /** Undefined: an empty parameter. */
  readonly params: Readonly<Record<string, RawValue>>;
}

const TRACEPOINT_EVENTS: Readonly<Record<string, number>> = {
  tp_fork: EVENT_FORK,
  tp_exec: EVENT_EXEC,
  tp_exit: EVENT_EXIT,
  tp_signal: EVENT_SIGNAL,
  tp_page_fault_user: EVENT_PAGE_FAULT,
  tp_page_fault_kernel: EVENT_PAGE_FAULT,
  tp_switch: EVENT_SWITCH,
};
const RING_BYTES = 16 * 1024 * 1024;
const WANT_ALL = 7;
const TEXT_TYPES = new Set(['CHARBUF', 'FSPATH', 'FSRELPATH']);
const BYTES_TYPES = new Set(['BYTEBUF', 'CHARBUFARRAY', 'DYN', 'SOCKADDR', 'SOCKTUPLE', 'FDLIST']);
const SIGNED_TYPES = new Set(['ERRNO', 'PID', 'FD', 'INT8', 'INT16', 'INT32', 'INT64']);

export class RawProbe {
  readonly probe: Probe;
  readonly loadMs: number;
  private readonly clock: BootClock;
  private readonly ring: Ring;
  private readonly record: EventRecord;

  constructor(options: RawProbeOptions) {
    const startedMs = performance.now();
    const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
    const rows = syscallRows(arch).filter(({ name }) => options.syscalls.includes(name));
    const tables = {
      rows,
      compat: compatNumbers(),
      flagTables: flagTables(arch),
    };
    this.clock = new BootClock();
    this.probe = new Probe({ ringCount: 1, ringBytes: RING_BYTES, tables });
    const memory = this.probe.rings[0];
    if (memory === undefined) throw new Error('the probe has no ring');
    this.ring = new Ring(memory);
    this.record = new EventRecord();
    this.record.attach(this.ring.bytes);
    this.configure(options);
    for (const { nr } of rows) this.probe.config[CONFIG.syscalls + nr] = WANT_ALL;
    if (options.syscalls.length > 0) this.probe.attach('sys_exit');
    for (const name of options.tracepoints) this.probe.attach(name);
    this.probe.config.writeUInt32LE(1, CONFIG.enabled);
    this.loadMs = performance.now() - startedMs;
  }

  private configure(options: RawProbeOptions): void {
    const { config } = this.probe;
    config.writeBigUInt64LE(this.clock.bootEpochNs, CONFIG.bootEpochNs);
    config.writeUInt32LE(ARGS_BYTES_MAX, CONFIG.argsBytesMax);
    config.writeUInt32LE(options.snaplen ?? 0, CONFIG.snaplen);
    config.writeUInt32LE(options.wantsEnv === true ? 1 : 0, CONFIG.wantsEnv);
    for (const [i, comm] of (options.comms ?? []).entries()) {
      config.write(comm, CONFIG.comms + i * COMM_BYTES, COMM_BYTES - 1, 'latin1');
      config.writeUInt32LE(i + 1, CONFIG.commCount);
    }
    for (const name of options.tracepoints) {
      const event = TRACEPOINT_EVENTS[name];
      if (event !== undefined) config[CONFIG.events + event] = 1;
    }
  }

  /** Everything written since the last call, in the ring's order. */
  drain(): RawEvent[] {
    const events: RawEvent[] = [];
    this.ring.beginRound(this.clock.baseHi);
    while (this.ring.headAt !== Number.POSITIVE_INFINITY) {
      this.record.load(this.ring.headOffset, this.ring.headCpu, 0);
      events.push(decode(this.record));
      this.ring.advance();
      this.ring.peek(this.clock.baseHi);
    }
    return events;
  }

  close(): void {
    this.probe.close();
  }
}

function decode(record: EventRecord): RawEvent {
  const info = mustEventInfo(record.type);
  const params: Record<string, RawValue> = {};
  for (const [i, { name, type }] of info.params.entries()) {
    if (record.isEmpty(i)) params[name] = undefined;
    else if (TEXT_TYPES.has(type)) params[name] = record.text(i);
    else if (BYTES_TYPES.has(type)) params[name] = record.binary(i);
    else if (SIGNED_TYPES.has(type)) params[name] = record.signed(i);
    else params[name] = record.unsigned(i);
  }
  return { code: info.code, tid: record.tid, timestampNs: record.timestampNs(), params };
}
