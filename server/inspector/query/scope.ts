/** Which state a question is about: as it is now, or as it was when a retained event was shown. */
import type { StateScope } from '../../../proto/gen/strata/v1/state.ts';
import { StrataError } from '../../event/strata-error.ts';
import type { InspectedEvent } from '../../state/inspected-event.ts';
import type { StateView } from '../../state/os-state.ts';
import type { Inspector } from '../inspector.ts';
import { scratchOf } from './query-scratch.ts';

const SCOPE_MEMBER = 'scope.event_number';

/** The view is good until the next one is asked for. Throws StrataError OUT_OF_RANGE. */
export function viewOf(scope: StateScope | undefined, inspector: Inspector): StateView {
  const number = scope?.eventNumber;
  return number === undefined ? inspector.state : mustRestore(number, SCOPE_MEMBER, inspector).state;
}

/**
 * A retained event with the state as of it; good until the next one is asked for. Throws StrataError OUT_OF_RANGE for
 * events that are no longer or not yet retained; `member` names where the request asks for it.
 */
export function mustRestore(
  number: bigint,
  member: string | undefined,
  inspector: Inspector,
): InspectedEvent {
  const { restored } = scratchOf(inspector);
  if (inspector.retained.restore(Number(number), restored, restored.record)) return restored;
  throw new StrataError({
    code: 'OUT_OF_RANGE',
    message: whyNotRetained(number, inspector),
    reason: 'EVENT_NOT_RETAINED',
    field: member,
  });
}

function whyNotRetained(number: bigint, inspector: Inspector): string {
  const { oldestNumber, newestNumber } = inspector.retained;
  if (oldestNumber === undefined || newestNumber === undefined) {
    return `event ${number} is not retained: no event is`;
  }
  const range = `retained are ${oldestNumber} to ${newestNumber}`;
  if (number < oldestNumber) return `event ${number} is no longer retained; ${range}`;
  if (number > newestNumber) return `event ${number} has not been shown yet; ${range}`;
  const { oldestAnswerable } = inspector.state.undo;
  if (number < oldestAnswerable) {
    return `the state as of event ${number} is no longer remembered, only as of ${Math.ceil(oldestAnswerable)} and later`;
  }
  return `event ${number} is not retained: there is none of that number, or it is too large; ${range}`;
}
