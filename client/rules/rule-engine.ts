/** Runs rules against a server: one subscription, one named filter per rule, one alert per match. */
import { DeliveryMode, type Ended, type Gap, Rendering } from '../../proto/gen/strata/v1/event_service.ts';
import type { StreamedEvent } from '../event-batch.ts';
import type { EventStream } from '../event-stream.ts';
import type { StrataClient } from '../strata-client.ts';
import { AlertWriter, alertFields } from './alert-writer.ts';
import type { Rule } from './compile-rules.ts';

export interface RuleEngineOptions {
  readonly isJson: boolean;
  /** Only the first rule that matches an event alerts, in the order of the files. */
  readonly firstMatchOnly: boolean;
  /** Stop after so many alerts. */
  readonly alertsMax?: number | undefined;
  readonly onGap: (gap: Gap) => void;
  /** Takes one line; a promise is waited for. */
  readonly onAlert: (line: Buffer) => Promise<void> | undefined;
}

export interface RuleEngineSummary {
  /** Alerts by the name of the rule, in the order of the rules; rules without any are left out. */
  readonly alerts: ReadonlyMap<string, number>;
  readonly alertCount: number;
  readonly lostCount: bigint;
  /** undefined: the stream was stopped or cut. */
  readonly ended: Ended | undefined;
  /** Whether `alertsMax` was reached. */
  readonly isComplete: boolean;
}

/** Filters of one subscription, as the contract limits them. */
export const RULES_MAX = 1024;

/** Alerts are few and wanted soon: small batches. */
const BATCH_LIMITS = { eventsMax: 1_024, bytesMax: 262_144, latencyMsMax: 100 } as const;

export class RuleEngine {
  readonly stream: EventStream;
  private readonly rules: readonly Rule[];
  private readonly options: RuleEngineOptions;
  private readonly counts: number[];
  private alertCount: number;
  private lostCount: bigint;

  /** `rules` are those to run, at least one and at most RULES_MAX. */
  constructor(client: StrataClient, rules: readonly Rule[], options: RuleEngineOptions) {
    this.rules = rules;
    this.options = options;
    this.counts = new Array<number>(rules.length).fill(0);
    this.alertCount = 0;
    this.lostCount = 0n;
    this.stream = client.streamEvents(
      {
        filters: rules.map(({ name, condition }, i) => ({ name: filterName(i, name), condition })),
        fields: alertFields(rules),
        rendering: Rendering.TYPED,
        // A rule about an image is judged when the image is known.
        deliveryMode: DeliveryMode.COMPLETE,
        batchLimits: BATCH_LIMITS,
        eventsMax: options.alertsMax === undefined ? undefined : BigInt(options.alertsMax),
      },
      { onGap: (gap) => this.onGap(gap) },
    );
  }

  /** Alerts until the stream ends. Rejects with StrataClientError, and with what `onAlert` rejects with. */
  async run(): Promise<RuleEngineSummary> {
    const { stream, options } = this;
    const writer = new AlertWriter(options.isJson);
    const alertsMax = options.alertsMax ?? Number.POSITIVE_INFINITY;
    for await (const event of stream) {
      writer.hostname = stream.started?.node?.hostname ?? '';
      for (const index of this.matches(event)) {
        const wait = options.onAlert(writer.line(this.rules[index] as Rule, event));
        if (wait !== undefined) await wait;
        this.counts[index] = (this.counts[index] as number) + 1;
        this.alertCount++;
        if (this.alertCount >= alertsMax) break;
      }
      if (this.alertCount >= alertsMax) break;
    }
    const { alertCount, lostCount } = this;
    const isComplete = alertCount >= alertsMax;
    return { alerts: this.alerts(), alertCount, lostCount, ended: stream.ended, isComplete };
  }

  /** Indexes of the rules that an event alerts for. */
  private matches(event: StreamedEvent): readonly number[] {
    // Of a single filter the stream says nothing: every event has matched it.
    const names = this.rules.length === 1 ? [] : event.matchedFilters;
    if (names.length === 0) return [0];
    const indexes = names.map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b);
    return this.options.firstMatchOnly ? indexes.slice(0, 1) : indexes;
  }

  private onGap(gap: Gap): void {
    this.lostCount += gap.lostCount;
    this.options.onGap(gap);
  }

  private alerts(): Map<string, number> {
    const alerts = new Map<string, number>();
    this.rules.forEach(({ name }, i) => {
      const count = this.counts[i] as number;
      if (count > 0) alerts.set(name, count);
    });
    return alerts;
  }
}

/** `12 Name of the rule`: unique, in the order of the rules, within the 256 bytes a name may have. */
function filterName(index: number, name: string): string {
  return `${index} ${Buffer.from(name)
    .subarray(0, 200)
    .toString()
    .replace(/\uFFFD+$/, '')}`;
}
