/** Network interface addresses of the node. */

export interface InterfaceRow {
  readonly name: string;
  readonly family: 4 | 6;
  /** 4 or 16 bytes in network byte order, as binary strings. */
  readonly address: string;
  readonly netmask: string;
  readonly broadcast: string;
  /** Link speed in bit/s as the capture gives it; 0n when unknown. */
  readonly linkSpeed: bigint;
}

export class InterfaceTable {
  private rows: readonly InterfaceRow[];
  private readonly rowsMax: number;
  /** Rows left out because there were more than the limit. */
  refused: number;

  constructor(rowsMax: number) {
    this.rows = [];
    this.rowsMax = rowsMax;
    this.refused = 0;
  }

  /** Replaces the list. */
  replace(rows: readonly InterfaceRow[]): void {
    this.refused += Math.max(0, rows.length - this.rowsMax);
    this.rows = rows.slice(0, this.rowsMax);
  }

  values(): readonly InterfaceRow[] {
    return this.rows;
  }
}
