/** Native open(2) flags of an open file to the schema's PPM_O_* bits. */

interface FlagNumbers {
  readonly direct: number;
  readonly directory: number;
  readonly largefile: number;
}

/** Where architectures differ. */
const X64: FlagNumbers = { direct: 0o40000, directory: 0o200000, largefile: 0o100000 };
const ARM64: FlagNumbers = { direct: 0o200000, directory: 0o40000, largefile: 0o400000 };

const O_SYNC = 0o4010000;
const O_DSYNC = 0o10000;
const O_TMPFILE = 0o20000000;
/** The native bit of close-on-exec, which the kernel keeps beside the flags. */
export const NATIVE_CLOEXEC = 0o2000000;

type FlagRow = readonly [native: number, schema: number];

function rowsFor(arch: string): readonly FlagRow[] {
  const { direct, directory, largefile } = arch === 'arm64' ? ARM64 : X64;
  return [
    [0o100, 4],
    [0o2000, 8],
    [O_DSYNC, 16],
    [0o200, 32],
    [0o4000, 64],
    [O_SYNC, 128],
    [0o1000, 256],
    [direct, 512],
    [directory, 1024],
    [largefile, 2048],
    [NATIVE_CLOEXEC, 4096],
    [O_TMPFILE | directory, 8192],
  ];
}

const ROWS = rowsFor(process.arch);
/** Read, write, both; the unused fourth reads as the first. */
const ACCESS: readonly number[] = [1, 2, 3, 1];

export function openFlagsOf(native: number): number {
  let flags = ACCESS[native & 3] as number;
  for (const [bits, schema] of ROWS) {
    if ((native & bits) === bits) flags |= schema;
  }
  return flags;
}
