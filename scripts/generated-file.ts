/** One committed file that is derived from others. */
export interface GeneratedFile {
  /** Path relative to the repository root. */
  readonly path: string;
  /** What the file must hold. */
  produce(): string | Uint8Array | Promise<string | Uint8Array>;
}

/** A folder that holds nothing but generated files: what no entry names is stale. */
export interface GeneratedFolder {
  readonly folder: string;
  readonly files: readonly GeneratedFile[];
}
