/**
 * What a live source is asked for: per event type, which outcomes anybody can use. The union of what the state needs and what
 * the subscriptions can ever match goes down into the kernel, so that the rest costs next to nothing.
 */
import { PPM_EVENT_MAX, PPME_GENERIC_X } from '../event/event-types.ts';
import { SYSCALL_NAMES } from '../event/flag-tables.ts';

/** Events whose result is not negative, and events without a result. */
export const WANT_SUCCESS = 1;
/** Events whose result is negative. */
export const WANT_FAILURE = 2;
/** The bytes read or written, up to the snap length; without it that parameter is empty. */
export const WANT_PAYLOAD = 4;

export const WANT_ALL: number = WANT_SUCCESS | WANT_FAILURE;

/**
 * `WANT_*` bits at the index of every event type. Behind them the generic event has bits per system call: at
 * `GENERIC_INTEREST` plus the schema's code of the call. A shorter array wants the generic events of all calls or of none.
 */
export type Interest = Uint8Array;

export const GENERIC_INTEREST: number = PPM_EVENT_MAX;
const INTEREST_LENGTH = GENERIC_INTEREST + SYSCALL_NAMES.length;

export function emptyInterest(): Interest {
  return new Uint8Array(INTEREST_LENGTH);
}

/** Bits for the generic event of the system call with this code. */
export function genericInterest(interest: Interest, code: number): number {
  return interest[interest.length > GENERIC_INTEREST ? GENERIC_INTEREST + code : PPME_GENERIC_X] ?? 0;
}

/** Adds everything `other` wants to `interest`. */
export function addInterest(interest: Interest, other: Interest): void {
  for (let type = 0; type < interest.length; type++) {
    interest[type] = (interest[type] as number) | (other[type] as number);
  }
}

export function sameInterest(a: Interest, b: Interest): boolean {
  if (a.length !== b.length) return false;
  for (let type = 0; type < a.length; type++) {
    if (a[type] !== b[type]) return false;
  }
  return true;
}
