import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { conversionNames } from '../../../../server/capture/ebpf/flag-conversions.ts';
import { OP, opWidths } from '../../../../server/capture/ebpf/syscall-ops.ts';
import { GENERIC_EVENT, OPS_MAX, syscallRows } from '../../../../server/capture/ebpf/syscall-rows.ts';
import { EF_OLD_VERSION, EVENT_TABLE, mustEventInfo } from '../../../../server/event/event-table.ts';
import { FLAG_DATA } from '../../../../server/event/flag-tables.ts';
import { fixedWidth } from '../../../../server/event/param-width.ts';

const PROBE = new URL('../../../../server/capture/ebpf/probe/', import.meta.url);
const SOURCES = readdirSync(PROBE)
  .filter((name) => name.endsWith('.h') || name.endsWith('.bpf.c'))
  .map((name) => readFileSync(new URL(name, PROBE), 'utf8'))
  .join('\n');
const OPS_HEADER = readFileSync(new URL('ops.h', PROBE), 'utf8');

function defines(prefix: string): Map<string, number> {
  const found = OPS_HEADER.matchAll(new RegExp(`^#define ${prefix}(\\w+) (\\d+)\\b`, 'gm'));
  return new Map(Array.from(found, (match) => [match[1] ?? '', Number(match[2])]));
}

describe('rows of system calls', () => {
  for (const arch of ['x64', 'arm64'] as const) {
    it(`write what the event table says on ${arch}`, () => {
      for (const row of syscallRows(arch)) {
        const { params, code } = mustEventInfo(row.eventType);
        assert.equal(row.paramCount, params.length, `${row.name} (${code})`);
        assert.ok(row.ops.length <= OPS_MAX, row.name);
        if (row.program !== undefined) continue;
        const widths = row.ops.flatMap((op) => opWidths(op.kind));
        const wanted = params.map((param) => fixedWidth(param.type));
        assert.deepEqual(widths, wanted, `${row.name} (${code})`);
      }
    });

    it(`have numbers and names once each on ${arch}`, () => {
      const rows = syscallRows(arch);
      assert.equal(new Set(rows.map((row) => row.nr)).size, rows.length);
      assert.equal(new Set(rows.map((row) => row.name)).size, rows.length);
      for (const row of rows) assert.ok(row.nr >= 0 && row.nr < 512, row.name);
    });
  }

  it('exist for every current event of a system call', () => {
    const types = new Set(syscallRows('x64').map((row) => row.eventType));
    const missing = EVENT_TABLE.filter(
      (info) =>
        info.source === 'SYSCALL' &&
        !info.isEnter &&
        (info.flags & EF_OLD_VERSION) === 0 &&
        !types.has(info.id),
    );
    assert.deepEqual(
      missing.map((info) => info.code),
      [],
    );
  });

  it('exist for every call the schema knows on x86_64, the generic event for those without one of their own', () => {
    const rows = new Map(syscallRows('x64').map((row) => [row.nr, row]));
    for (const [nr, name, syscallId, , eventType] of FLAG_DATA.syscallsX8664) {
      const row = rows.get(nr);
      assert.deepEqual([row?.name, row?.syscallId, row?.eventType], [name, syscallId, eventType]);
      if (eventType === GENERIC_EVENT) {
        assert.deepEqual(
          row?.ops.map((op) => op.kind),
          [OP.SYSCALL_ID, OP.NATIVE_ID],
        );
      }
    }
  });

  it('are the same on arm64, under its numbers', () => {
    const x64 = new Map(syscallRows('x64').map((row) => [row.name, row]));
    for (const { nr, ...row } of syscallRows('arm64')) {
      const same = x64.get(row.name);
      if (same === undefined) assert.equal(row.eventType, GENERIC_EVENT, row.name);
      else assert.deepEqual({ ...row, nr: same.nr }, same);
      assert.ok(nr < 500);
    }
    const numbers = new Map(syscallRows('arm64').map((row) => [row.name, row.nr]));
    const expected: [string, number][] = [
      ['openat', 56],
      ['read', 63],
      ['newfstatat', 79],
      ['clone', 220],
      ['execve', 221],
      ['mmap', 222],
      ['accept4', 242],
      ['clone3', 435],
    ];
    for (const [name, nr] of expected) assert.equal(numbers.get(name), nr, name);
    assert.equal(numbers.get('open'), undefined);
  });

  it('name programs the probe has', () => {
    const programs = new Set(
      Array.from(SOURCES.matchAll(/SYSCALL_PROGRAM\((sx_\w+)\)/g), (match) => match[1]),
    );
    for (const row of syscallRows('x64')) {
      if (row.program !== undefined) assert.ok(programs.has(row.program), row.program);
    }
  });

  it('name programs the blobs have', () => {
    for (const arch of ['x64', 'arm64'] as const) {
      const manifest = readFileSync(new URL(`../blob/probe-${arch}.json`, PROBE), 'utf8');
      const { programs } = JSON.parse(manifest) as { programs: readonly { readonly name: string }[] };
      const names = new Set(programs.map(({ name }) => name));
      for (const { program } of syscallRows(arch)) {
        if (program !== undefined) assert.ok(names.has(program), `${program} on ${arch}`);
      }
    }
  });

  it('have programs that write their event and its number of parameters', () => {
    const events = new Map(
      Array.from(SOURCES.matchAll(/#define ((?:EV|PPME)_\w+) (\d+)/g), (match) => [
        match[1],
        Number(match[2]),
      ]),
    );
    const programs = new Map(
      Array.from(SOURCES.matchAll(/SYSCALL_PROGRAM\((sx_\w+)\)\n\{\n\tRECORD\((\w+), (\d+)\);/g), (match) => [
        match[1],
        { eventType: events.get(match[2]), paramCount: Number(match[3]) },
      ]),
    );
    assert.ok(programs.size > 10);
    for (const { program, eventType, paramCount } of syscallRows('x64')) {
      const written = program === undefined ? undefined : programs.get(program);
      if (written !== undefined) assert.deepEqual(written, { eventType, paramCount }, program);
    }
  });

  it('agree with the kernel headers of this machine', (t) => {
    const header = '/usr/include/x86_64-linux-gnu/asm/unistd_64.h';
    if (!existsSync(header)) return t.skip(`${header} is not installed`);
    const numbers = new Map(
      Array.from(readFileSync(header, 'utf8').matchAll(/#define __NR_(\w+)\s+(\d+)/g), (match) => [
        match[1],
        Number(match[2]),
      ]),
    );
    for (const row of syscallRows('x64')) {
      const nr = numbers.get(row.name);
      if (nr !== undefined) assert.equal(row.nr, nr, row.name);
    }
  });
});

describe('operations', () => {
  it('have the numbers of the probe', () => {
    const numbers = defines('OP_');
    assert.deepEqual(Object.fromEntries(numbers), OP);
  });

  it('find the flag tables where the programs of the probe look', () => {
    const tables = defines('TABLE_');
    assert.ok(tables.size > 0);
    for (const [name, index] of tables) {
      const camel = name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
      assert.equal(conversionNames()[index - 1], camel);
    }
  });
});
