/** Unsigned 64-bit integers for property tests, most of them where arithmetic on halves goes wrong. */
import fc from 'fast-check';

const MAX = (1n << 64n) - 1n;

/** Where a carry, a sign, the exact range of numbers, or the number of digits changes. */
const EDGES: readonly bigint[] = [
  0n,
  1n << 31n,
  1n << 32n,
  1n << 53n,
  1n << 63n,
  MAX,
  1_000_000_000n,
  ...Array.from({ length: 20 }, (_, digits) => 10n ** BigInt(digits)),
];

const NEAR_EDGE: fc.Arbitrary<bigint> = fc
  .tuple(fc.constantFrom(...EDGES), fc.integer({ min: -3, max: 3 }))
  .map(([edge, by]) => BigInt.asUintN(64, edge + BigInt(by)));

export const U64: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: 0n, max: MAX }),
  NEAR_EDGE,
  fc.integer({ min: 0, max: 64 }).map((shift) => MAX >> BigInt(shift)),
);

export function halves(value: bigint): [hi: number, lo: number] {
  return [Number(value >> 32n), Number(value & 0xffffffffn)];
}
