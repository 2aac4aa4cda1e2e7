/**
 * What a live source is asked for: per event type, which outcomes anybody can use. The union of what the state needs and what
 * the subscriptions can ever match goes down into the kernel, so that the rest costs next to nothing.
 */
import { PPM_EVENT_MAX } from '../event/event-types.ts';

/** Events whose result is not negative, and events without a result. */
export const WANT_SUCCESS = 1;
/** Events whose result is negative. */
export const WANT_FAILURE = 2;
/** The bytes read or written, up to the snap length; without it that parameter is empty. */
export const WANT_PAYLOAD = 4;

export const WANT_ALL: number = WANT_SUCCESS | WANT_FAILURE;

/** `WANT_*` bits at the index of every event type. */
export type Interest = Uint8Array;

export function emptyInterest(): Interest {
  return new Uint8Array(PPM_EVENT_MAX);
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
