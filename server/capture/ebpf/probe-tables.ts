/** What the probe's maps are filled with on this architecture. */
import type { ProbeTables } from './probe.ts';
import { type Architecture, compatNumbers, flagTables, syscallRows } from './syscall-rows.ts';

export function isArchitecture(arch: string): arch is Architecture {
  return arch === 'x64' || arch === 'arm64';
}

export function probeTables(arch: Architecture): ProbeTables {
  return {
    rows: syscallRows(arch),
    compat: arch === 'x64' ? compatNumbers() : new Uint16Array(0),
    flagTables: flagTables(arch),
  };
}
