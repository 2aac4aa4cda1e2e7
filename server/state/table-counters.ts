/** What a bounded table counts. Every limit has a counter; all are exported as metrics and in `NodeService.GetStatus`. */
export class TableCounters {
  /** Rows refused because the table was at its limit. */
  refused = 0;
  added = 0;
  removed = 0;
  /** Look-ups that found a row / found none. */
  hits = 0;
  misses = 0;
}
