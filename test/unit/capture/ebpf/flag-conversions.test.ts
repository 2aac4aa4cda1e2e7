import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CONVERSIONS, type ConversionName } from '../../../../server/capture/ebpf/flag-conversion-data.ts';
import {
  conversionNames,
  FLAG_TABLES_MAX,
  flagTableIndex,
  flagTables,
  nativeToSchema,
} from '../../../../server/capture/ebpf/flag-conversions.ts';
import { FLAG_DATA } from '../../../../server/event/flag-tables.ts';

function names(conversion: ConversionName, value: number): string[] {
  const table = FLAG_DATA.tables[CONVERSIONS[conversion].schema] ?? [];
  return table.filter(([, bit]) => bit !== 0 && (value & bit) === bit).map(([name]) => name);
}

function value(schema: string, name: string): number | undefined {
  return FLAG_DATA.tables[schema]?.find((entry) => entry[0] === name)?.[1];
}

describe('flag tables', () => {
  it('are as many as the probe has room for, each of 4 x 256 words', () => {
    const tables = flagTables('x64');
    assert.ok(tables.length <= FLAG_TABLES_MAX);
    for (const table of tables) assert.equal(table.length, 1024);
    assert.equal(tables.length, conversionNames().length + 1);
  });

  it('leave a word as it is at index 0', () => {
    const identity = flagTables('x64')[0] ?? new Uint32Array();
    const word = 0xdeadbeef;
    let result = 0;
    for (let byte = 0; byte < 4; byte++) result |= identity[256 * byte + ((word >>> (8 * byte)) & 255)] ?? 0;
    assert.equal(result >>> 0, word);
  });

  it('hold the conversion at its index', () => {
    const table = flagTables('x64')[flagTableIndex('accessFlags')];
    assert.deepEqual([table?.[1], table?.[2], table?.[4], table?.[8]], [1, 2, 4, 0]);
  });
});

describe('flags of open', () => {
  const open = (flags: number): number => nativeToSchema('openFlags', flags, 'x64');

  it('say how the file is accessed', () => {
    assert.deepEqual([open(0), open(1), open(2), open(3)], [1, 2, 3, 1]);
  });

  it('are converted bit by bit', () => {
    const native = 0o1 | 0o100 | 0o1000 | 0o2000000; // O_WRONLY O_CREAT O_TRUNC O_CLOEXEC
    assert.deepEqual(names('openFlags', open(native)), ['O_TRUNC', 'O_CREAT', 'O_WRONLY', 'O_CLOEXEC']);
  });

  it('give O_TMPFILE with every directory, as recorded captures have it', () => {
    assert.equal(open(0o200000), 1 | 0x400 | 0x2000);
  });

  it('differ on arm64', () => {
    const arm64 = (flags: number): number => nativeToSchema('openFlags', flags, 'arm64');
    assert.equal(arm64(0o40000), 1 | 0x400 | 0x2000);
    assert.equal(arm64(0o200000), 1 | 0x200);
    assert.equal(arm64(0o400000), 1 | 0x800);
    assert.equal(nativeToSchema('pipe2Flags', 0o200000, 'arm64'), 0x200);
  });
});

describe('other flags', () => {
  it('of clone reach all 32 bits', () => {
    const native = 0x80000000 | 0x20000000 | 0x100;
    assert.deepEqual(names('cloneFlags', nativeToSchema('cloneFlags', native, 'x64')), [
      'CLONE_IO',
      'CLONE_NEWPID',
      'CLONE_VM',
    ]);
  });

  it('of mmap know that arm64 has no MAP_32BIT', () => {
    assert.equal(nativeToSchema('mmapFlags', 0x62, 'x64'), 0x2 | 0x8 | 0x10);
    assert.equal(nativeToSchema('mmapFlags', 0x62, 'arm64'), 0x2 | 0x8);
  });

  it('of mknod hold the type, a regular file when there is none', () => {
    const mode = (native: number): number => nativeToSchema('mknodMode', native, 'x64');
    assert.equal(mode(0o100644), 0x8000 | 0o644);
    assert.equal(mode(0o644), 0x8000 | 0o644);
    assert.equal(mode(0o010600), 0x1000 | 0o600);
    assert.equal(mode(0o140777), 0xc000 | 0o777);
    assert.equal(mode(0o060000), 0x6000);
  });

  it('of futex hold operation and modifiers', () => {
    assert.equal(nativeToSchema('futexOperations', 0x189, 'x64'), 0x189);
    assert.equal(nativeToSchema('futexOperations', 0x7f, 'x64'), 0);
  });

  it('unknown ones give nothing', () => {
    assert.equal(nativeToSchema('spliceFlags', 0xfffffff0, 'x64'), 0);
  });
});

describe('enumerations', () => {
  it('reach the commands above 0x400', () => {
    const fcntl = (command: number): number => nativeToSchema('fcntlCommand', command, 'x64');
    assert.equal(fcntl(0), value('fcntl_commands', 'F_DUPFD'));
    assert.equal(fcntl(0x406), value('fcntl_commands', 'F_DUPFD_CLOEXEC'));
    assert.equal(fcntl(0x408), value('fcntl_commands', 'F_GETPIPE_SZ'));
    assert.equal(fcntl(0x500), 0);
    assert.equal(fcntl(0x106), 0);
  });

  it('reach the requests above 0x4200', () => {
    const ptrace = (request: number): number => nativeToSchema('ptraceRequest', request, 'x64');
    assert.equal(ptrace(16), value('ptrace_requests', 'PTRACE_ATTACH'));
    assert.equal(ptrace(0x4206), value('ptrace_requests', 'PTRACE_SEIZE'));
    assert.equal(ptrace(0x4300), value('ptrace_requests', 'PTRACE_UNKNOWN'));
  });

  it('have a value for what is unknown', () => {
    assert.equal(nativeToSchema('rlimitResource', 7, 'x64'), 7);
    assert.equal(nativeToSchema('rlimitResource', 99, 'x64'), 0xff);
    assert.equal(nativeToSchema('shutdownHow', 3, 'x64'), 0xffff);
  });

  it('of socket options keep the numbers the schema shares with the kernel', () => {
    const option = (native: number): number => nativeToSchema('sockoptOption', native, 'x64');
    assert.equal(option(9), value('sockopt_options', 'SO_KEEPALIVE'));
    assert.equal(option(57), value('sockopt_options', 'SO_COOKIE'));
    assert.equal(option(66), value('sockopt_options', 'SO_RCVTIMEO'));
    assert.equal(option(51), 0);
  });
});
