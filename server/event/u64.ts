/** Arithmetic on 64-bit integers held as two unsigned 32-bit halves, so that the loop never allocates a BigInt. */

const TWO_32 = 4294967296;
const NS_PER_S = 1_000_000_000;

/** An integer that is a number while it is safe (up to 2^53) and a bigint beyond. */
export type Integer = number | bigint;

/** Unsigned value of two halves: a number when exact, else a bigint. */
export function u64(hi: number, lo: number): Integer {
  return hi < 0x200000 ? hi * TWO_32 + lo : (BigInt(hi) << 32n) | BigInt(lo);
}

/** Signed value of two halves (both given unsigned): a number when exact, else a bigint. */
export function i64(hi: number, lo: number): Integer {
  const signedHi = hi | 0;
  if (signedHi >= -0x200000 && signedHi < 0x200000) return signedHi * TWO_32 + lo;
  return BigInt.asIntN(64, (BigInt(hi) << 32n) | BigInt(lo));
}

/** Always a bigint: for state that is stored, not for the loop. */
export function u64Big(hi: number, lo: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo);
}

/** `a - b` as a number; exact while the difference stays below 2^53 (104 days in nanoseconds). */
export function u64Difference(aHi: number, aLo: number, bHi: number, bLo: number): number {
  return (aHi - bHi) * TWO_32 + (aLo - bLo);
}

/** Whole seconds of a nanosecond count. */
export function nsSeconds(hi: number, lo: number): number {
  const x = hi * 65536 + (lo >>> 16);
  const q = Math.floor(x / NS_PER_S);
  const y = (x - q * NS_PER_S) * 65536 + (lo & 0xffff);
  return q * 65536 + Math.floor(y / NS_PER_S);
}

/** Nanoseconds within the second of a nanosecond count. */
export function nsSubsecond(hi: number, lo: number): number {
  const x = hi * 65536 + (lo >>> 16);
  const y = (x % NS_PER_S) * 65536 + (lo & 0xffff);
  return y % NS_PER_S;
}
