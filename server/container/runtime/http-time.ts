/** Times as Go's JSON writes them: RFC 3339 with up to nine digits of a second. */

const RFC_3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;

/** Nanoseconds since the epoch; 0n for what is no time, and for times before the epoch (Go's zero time is in year 1). */
export function rfc3339Ns(text: unknown): bigint {
  const [, seconds, fraction = '', zone] = (typeof text === 'string' ? RFC_3339.exec(text) : null) ?? [];
  const ms = Date.parse(`${seconds}${zone}`);
  if (!(ms > 0)) return 0n;
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** From whole seconds since the epoch. */
export function epochSecondsNs(seconds: unknown): bigint {
  return typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds > 0
    ? BigInt(seconds) * 1_000_000_000n
    : 0n;
}
