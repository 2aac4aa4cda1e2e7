/** Pairs two sequences of names so that as many as possible are paired in order (longest common subsequence). */

/** Positions in `b` of each item of `a`; -1 where it has no partner. */
export function align(a: readonly string[], b: readonly string[]): Int32Array {
  const partners = new Int32Array(a.length).fill(-1);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) {
    partners[start] = start;
    start++;
  }
  let endA = a.length;
  let endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) partners[--endA] = --endB;
  alignMiddle(a, b, start, endA, endB, partners);
  return partners;
}

function alignMiddle(
  a: readonly string[],
  b: readonly string[],
  start: number,
  endA: number,
  endB: number,
  partners: Int32Array,
): void {
  const width = endB - start + 1;
  // lengths[i][j]: most pairs among a[start+i..] and b[start+j..].
  const lengths = new Uint32Array((endA - start + 1) * width);
  for (let i = endA - start - 1; i >= 0; i--) {
    for (let j = width - 2; j >= 0; j--) {
      const at = i * width + j;
      lengths[at] =
        a[start + i] === b[start + j]
          ? (lengths[at + width + 1] as number) + 1
          : Math.max(lengths[at + width] as number, lengths[at + 1] as number);
    }
  }
  let i = 0;
  let j = 0;
  while (start + i < endA && start + j < endB) {
    const at = i * width + j;
    if (a[start + i] === b[start + j]) partners[start + i++] = start + j++;
    else if ((lengths[at + width] as number) >= (lengths[at + 1] as number)) i++;
    else j++;
  }
}
