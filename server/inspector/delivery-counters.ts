/** What becomes of events whose container is not known yet, over all subscriptions of an inspector. */
export interface DeliveryCounters {
  /** Events that delivery COMPLETE held back for their container. */
  eventsHeld: number;
  /** Of them, those sent without its metadata: it did not come in time, or there was no more room. */
  eventsReleasedIncomplete: number;
  /** Completions sent to subscriptions with delivery IMMEDIATE. */
  completionsSent: number;
  /** Completions not sent, because as many as may be were owed already or the subscription was too slow. */
  completionsLost: number;
}

export function newDeliveryCounters(): DeliveryCounters {
  return { eventsHeld: 0, eventsReleasedIncomplete: 0, completionsSent: 0, completionsLost: 0 };
}
