/** The numbers of probe-abi.ts are those of abi.h, and the blobs were built from the sources beside them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSkeleton } from '../../../../server/capture/ebpf/light-skeleton.ts';
import * as abi from '../../../../server/capture/ebpf/probe-abi.ts';

const PROBE = join(import.meta.dirname, '../../../../server/capture/ebpf/probe');

function missingTools(): string | false {
  const hasClang = spawnSync('clang', ['--version']).error === undefined;
  if (hasClang && existsSync('/usr/include/bpf/bpf_helpers.h')) return false;
  process.stderr.write('SKIPPED: clang or the headers of libbpf are not installed; abi.h is not compared\n');
  return 'clang or the headers of libbpf are not installed';
}

/** C member names of the keys of CONFIG, COUNTERS and SYSCALL_ROW. */
function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function layout(struct: string, offsets: Readonly<Record<string, number>>): string[] {
  return Object.entries(offsets).map(([name, value]) =>
    name === 'bytes'
      ? `_Static_assert(sizeof(struct ${struct}) == ${value}, "${struct}");`
      : `_Static_assert(__builtin_offsetof(struct ${struct}, ${snake(name)}) == ${value}, "${struct}.${name}");`,
  );
}

const CONSTANTS = {
  SYSCALLS_MAX: abi.SYSCALLS_MAX,
  OPS_MAX: abi.OPS_MAX,
  CPUS_MAX: abi.CPUS_MAX,
  RINGS_MAX: abi.RINGS_MAX,
  FLAG_TABLES_MAX: abi.FLAG_TABLES_MAX,
  PROGRAMS_MAX: abi.PROGRAMS_MAX,
  EVENT_TYPES_MAX: abi.EVENT_TYPES_MAX,
  COMMS_MAX: abi.COMMS_MAX,
  CGROUPS_MAX: abi.CGROUPS_MAX,
  SELF_MAX: abi.SELF_MAX,
  EVENT_FORK: abi.EVENT_FORK,
  EVENT_EXEC: abi.EVENT_EXEC,
  EVENT_EXIT: abi.EVENT_EXIT,
  EVENT_SIGNAL: abi.EVENT_SIGNAL,
  EVENT_PAGE_FAULT: abi.EVENT_PAGE_FAULT,
  EVENT_SWITCH: abi.EVENT_SWITCH,
};

test('sizes and offsets are those of abi.h', { skip: missingTools() }, () => {
  const source = [
    '#include "abi.h"',
    ...Object.entries(CONSTANTS).map(([name, value]) => `_Static_assert(${name} == ${value}, "${name}");`),
    ...layout('config', abi.CONFIG),
    ...layout('counters', abi.COUNTERS),
    ...layout('syscall_row', abi.SYSCALL_ROW),
    `_Static_assert(sizeof(struct op) == ${abi.OP_BYTES}, "op");`,
    `_Static_assert(sizeof(struct flag_table) == ${abi.FLAG_TABLE_BYTES}, "flag_table");`,
    `_Static_assert(sizeof(struct ring_prefix) == ${abi.RING_PREFIX_BYTES}, "ring_prefix");`,
    `_Static_assert(sizeof(((struct config *)0)->cgroups[0]) == ${abi.CGROUP_BYTES}, "cgroup");`,
    `_Static_assert(sizeof(((struct config *)0)->comms[0]) == ${abi.COMM_BYTES}, "comm");`,
    `_Static_assert(sizeof(((struct config *)0)->events) == ${abi.EVENTS_COUNT}, "events");`,
  ].join('\n');
  const flags = ['-target', 'bpf', '-D__TARGET_ARCH_x86', `-I${PROBE}`, '-I/usr/include/x86_64-linux-gnu'];
  const compiled = spawnSync(
    'clang',
    [...flags, '-I/usr/include/aarch64-linux-gnu', '-fsyntax-only', '-x', 'c', '-'],
    {
      input: source,
      encoding: 'utf8',
    },
  );
  assert.equal(compiled.status, 0, compiled.stderr);
});

/** Every header of the folder that `source` includes, itself and directly or not. */
function includedFiles(source: string, found: Set<string> = new Set()): Set<string> {
  found.add(source);
  const text = readFileSync(join(PROBE, source), 'utf8');
  for (const [, name] of text.matchAll(/^#include "(.+)"$/gm)) {
    if (name !== undefined && !found.has(name)) includedFiles(name, found);
  }
  return found;
}

for (const name of ['probe', 'iterators']) {
  for (const arch of ['x64', 'arm64']) {
    test(`${name}-${arch} was built from these sources (npm run build:probe)`, () => {
      const hash = createHash('sha256');
      for (const file of [...includedFiles(`${name}.bpf.c`)].sort()) {
        hash.update(`${file}\n`).update(readFileSync(join(PROBE, file)));
      }
      assert.equal(readSkeleton(name, arch).manifest.sources, hash.digest('hex'));
    });
  }
}
