/** Why events were sent without what could be known of their container. */
export type ReleaseCause =
  /** It was not known within the longest wait. */
  | 'expired'
  /** Those who know runtimes have given up. */
  | 'unanswered'
  /** As many events or bytes as may be were held. */
  | 'no-room'
  /** The subscription or its source has ended. */
  | 'ended'
  /** Its filters have changed. */
  | 'filters-changed'
  /** It was known, but the state as of the event was not remembered any more. */
  | 'state-forgotten';

/** What becomes of events whose container is not known yet, over all subscriptions of an inspector. */
export interface DeliveryCounters {
  /** Events that delivery COMPLETE held back for their container. */
  eventsHeld: number;
  /** Of them, those sent with all that is known of it. */
  eventsReleasedComplete: number;
  /** Of them, those sent without its metadata: it did not come in time, or there was no more room. */
  eventsReleasedIncomplete: number;
  /** The same by cause. */
  readonly incompleteByCause: Record<ReleaseCause, number>;
  /** Events sent at once and marked, by delivery IMMEDIATE. */
  eventsSentIncomplete: number;
  /** Of them, those completed. */
  eventsCompleted: number;
  /** Completions sent to subscriptions with delivery IMMEDIATE. */
  completionsSent: number;
  /** Completions not sent, because as many as may be were owed already or the subscription was too slow. */
  completionsLost: number;
}

export function newDeliveryCounters(): DeliveryCounters {
  return {
    eventsHeld: 0,
    eventsReleasedComplete: 0,
    eventsReleasedIncomplete: 0,
    incompleteByCause: {
      expired: 0,
      unanswered: 0,
      'no-room': 0,
      ended: 0,
      'filters-changed': 0,
      'state-forgotten': 0,
    },
    eventsSentIncomplete: 0,
    eventsCompleted: 0,
    completionsSent: 0,
    completionsLost: 0,
  };
}

/** Events held now, for all subscriptions of an inspector together. */
export interface HeldCounters {
  count: number;
  countMax: number;
  bytes: number;
  /** Kept so far, and how often the oldest container had to give way to others. */
  added: number;
  evicted: number;
}

export function newHeldCounters(): HeldCounters {
  return { count: 0, countMax: 0, bytes: 0, added: 0, evicted: 0 };
}
