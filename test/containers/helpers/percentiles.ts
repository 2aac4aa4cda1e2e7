/** Figures in one line: `p50 1.2 p90 3.4 p99 5.6 max 7.8`. */
export function percentiles(values: readonly number[], digits = 1): string {
  if (values.length === 0) return 'none';
  return [50, 90, 99, 100]
    .map((share) => `${share === 100 ? 'max' : `p${share}`} ${percentile(values, share).toFixed(digits)}`)
    .join(' ');
}

/** By the nearest rank; NaN of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((share / 100) * sorted.length) - 1)] ?? Number.NaN;
}
