/** One item of a batch that has no answer, while the others have theirs. */
import type { ItemError } from '../../../proto/gen/strata/v1/item_error.ts';
import { type StatusName, StrataError } from '../../event/strata-error.ts';

/** gRPC status codes as the numbers that travel in an `ItemError`. */
const CODES: Readonly<Record<StatusName, number>> = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
};

/** Answers one item; what it has not found is its error alone. Defects still end the whole call. */
export function answerItem<Answer>(answer: () => Answer, refuse: (error: ItemError) => Answer): Answer {
  try {
    return answer();
  } catch (error) {
    if (!(error instanceof StrataError) || error.code === 'INVALID_ARGUMENT') throw error;
    return refuse({ code: CODES[error.code], message: error.message });
  }
}

/** Indexes of the items, those about events last and from the newest event to the oldest: going back costs least. */
export function newestLast<Item>(
  items: readonly Item[],
  eventNumberOf: (item: Item) => bigint | undefined,
): number[] {
  const order = items.map((_, i) => i);
  const numbers = items.map((item) => Number(eventNumberOf(item) ?? Number.POSITIVE_INFINITY));
  return order.sort((a, b) => {
    const first = numbers[a] as number;
    const second = numbers[b] as number;
    // Infinity minus itself is no number.
    return first === second ? a - b : second - first;
  });
}
