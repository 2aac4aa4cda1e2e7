import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { compatNumbers, i386Numbers, NO_SYSCALL } from '../../../../server/capture/ebpf/syscall-numbers.ts';
import { syscallRows } from '../../../../server/capture/ebpf/syscall-rows.ts';

describe('32-bit calls', () => {
  const compat = compatNumbers();
  const i386 = i386Numbers();
  const rows = new Map(syscallRows('x64').map((row) => [row.nr, row]));
  const rowOf = (name: string): string | undefined => rows.get(compat[i386.get(name) ?? 0] ?? 0)?.name;

  it('map to the row of the same name', () => {
    assert.equal(compat.length, 512);
    for (const name of ['execve', 'openat', 'clone', 'connect', 'accept4', 'close', 'io_uring_setup']) {
      assert.equal(rowOf(name), name);
    }
  });

  it('map to the row of what they are called in 64 bits', () => {
    assert.equal(rowOf('fcntl64'), 'fcntl');
    assert.equal(rowOf('getuid32'), 'getuid');
    assert.equal(rowOf('setresuid32'), 'setresuid');
    assert.equal(rowOf('ugetrlimit'), 'getrlimit');
    assert.equal(rowOf('_newselect'), 'select');
    assert.equal(rowOf('fstatat64'), 'newfstatat');
    assert.equal(rowOf('futex_time64'), 'futex');
  });

  it('have rows of their own where arguments or events differ', () => {
    for (const name of ['mmap2', '_llseek', 'umount', 'stat64', 'lstat64', 'fstat64']) {
      assert.equal(rowOf(name), name);
    }
  });

  it('of sockets are found behind socketcall', () => {
    const names = Array.from(compat.subarray(480), (nr) => rows.get(nr)?.name);
    assert.equal(names[0], undefined);
    assert.deepEqual(names.slice(1, 5), ['socket', 'bind', 'connect', 'listen']);
    assert.deepEqual([names[9], names[10], names[20], names[21]], ['send', 'recv', 'sendmmsg', undefined]);
  });

  it('without anything alike map to none', () => {
    for (const name of ['socketcall', 'mmap', 'ipc', 'sigreturn', 'waitpid']) {
      assert.equal(compat[i386.get(name) ?? 0], NO_SYSCALL, name);
    }
  });

  it('lead to rows only', () => {
    for (const nr of compat) assert.ok(nr === NO_SYSCALL || rows.has(nr), String(nr));
  });

  it('agree with the kernel headers of this machine', (t) => {
    const header = '/usr/include/x86_64-linux-gnu/asm/unistd_32.h';
    if (!existsSync(header)) return t.skip(`${header} is not installed`);
    for (const [, name, nr] of readFileSync(header, 'utf8').matchAll(/#define __NR_(\w+)\s+(\d+)/g)) {
      assert.equal(i386.get(name ?? ''), Number(nr), name);
    }
  });
});
