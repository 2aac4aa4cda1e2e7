/**
 * Delivery IMMEDIATE: events are sent at once. Those of a container that is not known yet are marked when a value of theirs may
 * change, and remembered: what becomes known follows in completions, behind the batches that hold the events.
 */
import type { FieldValue } from '../fields/field.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { EncodedField } from './batch-encoder.ts';
import { CompletionEncoder } from './completion-encoder.ts';
import type { Delivery, DeliveryPort } from './delivery.ts';
import type { CompletionOutcomeName } from './event-feed.ts';
import type { EventHolder, HeldEvent, HeldEvents } from './held-events.ts';
import type { SettleListener, SettleOutcome } from './pending-containers.ts';

/** Events read in one go, newest first: bounds what stands in memory meanwhile. */
const CHUNK_EVENTS = 4096;
/** A completion is closed at this size, and one that is larger still than a message may be is not sent. */
const COMPLETION_BYTES = 2_097_152;
const COMPLETION_BYTES_MAX = 4_000_000;

/** An event that has been sent. */
interface SentEvent {
  readonly entry: HeldEvent;
  readonly sequence: number;
}

/** What is told of an event. */
interface CompletedRow {
  readonly sequence: number;
  readonly values: readonly FieldValue[];
}

export class ImmediateDelivery implements Delivery, EventHolder, SettleListener {
  readonly oldestUndecided = undefined;
  private readonly held: HeldEvents;
  private readonly port: DeliveryPort;
  /** Fields of the schema; undefined for text, which has no completions. */
  private readonly fields: readonly EncodedField[] | undefined;
  private readonly sent: Map<string, SentEvent[]>;

  constructor(held: HeldEvents, port: DeliveryPort, fields: readonly EncodedField[] | undefined) {
    this.held = held;
    this.port = port;
    this.fields = fields;
    this.sent = new Map();
    held.addHolder(this);
    held.pending.addListener(this);
  }

  take(event: InspectedEvent): boolean {
    const { held, port } = this;
    const containerId = event.thread?.containerId ?? '';
    if (containerId === '' || !held.pending.has(containerId)) return false;
    if (!port.matches(event)) return true;
    const { state } = event;
    held.trace(event);
    const row = port.read(event);
    event.state = state;
    const isIncomplete = held.tracing.isTouched;
    const sequence = port.emit(row, isIncomplete);
    if (!isIncomplete || sequence === undefined) return true;
    held.counters.eventsSentIncomplete++;
    if (this.fields !== undefined) this.remember(event, containerId, sequence);
    return true;
  }

  onSettled(fullId: string, outcome: SettleOutcome): void {
    const sent = this.takeSent(fullId);
    if (sent === undefined || this.fields === undefined) return;
    for (let start = 0; start < sent.length; start += CHUNK_EVENTS) {
      this.complete(fullId, sent.slice(start, start + CHUNK_EVENTS), outcome, this.fields);
    }
  }

  /** What was sent stays as it is. */
  onFiltersChange(): void {}

  onEnd(): void {
    for (const id of [...this.sent.keys()]) this.giveUp(id, 'timed-out');
    this.drop();
  }

  drop(): void {
    for (const sent of this.sent.values()) for (const { entry } of sent) this.held.free(entry);
    this.sent.clear();
    this.held.removeHolder(this);
    this.held.pending.removeListener(this);
  }

  expire(): void {
    // Nobody waits for these events: they are remembered until their container is settled, or there is no more room.
  }

  evict(oldest: HeldEvent): void {
    const { containerId } = oldest;
    // Of all events held it is the oldest, so of its container as well. But others may hold it alone.
    if (this.sent.get(containerId)?.[0]?.entry === oldest) this.giveUp(containerId, 'failed');
  }

  private remember(event: InspectedEvent, containerId: string, sequence: number): void {
    const entry = this.held.hold(event);
    if (entry === undefined) {
      this.send([{ sequence, values: [] }], [], 'failed', containerId);
      this.held.counters.completionsLost++;
      return;
    }
    const sent = this.sent.get(containerId);
    if (sent === undefined) this.sent.set(containerId, [{ entry, sequence }]);
    else sent.push({ entry, sequence });
  }

  private takeSent(containerId: string): readonly SentEvent[] | undefined {
    const sent = this.sent.get(containerId);
    this.sent.delete(containerId);
    return sent;
  }

  /** Nothing will be known of these events any more; says so. */
  private giveUp(containerId: string, outcome: CompletionOutcomeName): void {
    const sent = this.takeSent(containerId) ?? [];
    for (const { entry } of sent) this.held.free(entry);
    if (outcome === 'failed') this.held.counters.completionsLost++;
    this.send(
      sent.map(({ sequence }) => ({ sequence, values: [] })),
      [],
      outcome,
      containerId,
    );
  }

  private complete(
    containerId: string,
    sent: readonly SentEvent[],
    outcome: SettleOutcome,
    fields: readonly EncodedField[],
  ): void {
    const { held } = this;
    const changed = new Uint8Array(fields.length);
    const known: CompletedRow[] = [];
    const forgotten: CompletedRow[] = [];
    // The past is cheapest to visit backwards.
    for (let i = sent.length - 1; i >= 0; i--) {
      const { entry, sequence } = sent[i] as SentEvent;
      if (held.restore(entry)) known.push({ sequence, values: this.read(fields, changed) });
      else forgotten.push({ sequence, values: [] });
    }
    for (const { entry } of sent) held.free(entry);
    const indexes = fields.flatMap((_, index) => (changed[index] === 1 ? [index] : []));
    this.send(known.reverse(), indexes, outcome, containerId);
    if (forgotten.length > 0) held.counters.completionsLost++;
    this.send(forgotten.reverse(), [], 'failed', containerId);
  }

  /** Values of the restored event with what is known now; marks the fields that were sent with others. */
  private read(fields: readonly EncodedField[], changed: Uint8Array): readonly FieldValue[] {
    const { held } = this;
    const { event, tracing } = held;
    return fields.map(({ extract }, index) => {
      held.readAsShown();
      const shown = extract(event);
      if (!tracing.isTouched) return shown;
      held.readCompleted();
      const value = extract(event);
      if (!isSame(shown, value)) changed[index] = 1;
      return value;
    });
  }

  private send(
    rows: readonly CompletedRow[],
    fieldIndexes: readonly number[],
    outcome: CompletionOutcomeName,
    containerId: string,
  ): void {
    if (rows.length === 0) return;
    const encoder = new CompletionEncoder(this.fields ?? [], fieldIndexes, outcome, containerId);
    let first = 0;
    rows.forEach(({ sequence, values }, i) => {
      encoder.add(sequence, values);
      if (i < rows.length - 1 && encoder.byteCount < COMPLETION_BYTES) return;
      const { count } = encoder;
      const bytes = encoder.finish();
      const piece = rows.slice(first, i + 1);
      first = i + 1;
      if (bytes.length > COMPLETION_BYTES_MAX) {
        this.held.counters.completionsLost++;
        this.send(piece, [], 'failed', containerId);
      } else {
        this.count(this.port.sendCompletion({ bytes, count }), outcome, count);
      }
    });
  }

  private count(isSent: boolean, outcome: CompletionOutcomeName, events: number): void {
    const { counters } = this.held;
    if (!isSent) {
      counters.completionsLost++;
      return;
    }
    counters.completionsSent++;
    if (outcome === 'complete') counters.eventsCompleted += events;
  }
}

function isSame(a: FieldValue, b: FieldValue): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object') return false;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => item === b[i]);
  }
  return 'value' in a && 'value' in b && a.value === b.value && a.type === b.type;
}
