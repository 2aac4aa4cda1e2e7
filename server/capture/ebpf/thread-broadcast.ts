/**
 * Runs system calls in every thread of this process. Credentials belong to threads, and most of Node's threads run no code of
 * ours: so each is sent a signal whose handler makes the calls, as libc itself does for setuid(2).
 */
import { readdirSync } from 'node:fs';
import { errnoName, libc } from './libc.ts';
import { allocateNative } from './native-memory.ts';

/** One system call: its number and up to five arguments. */
export type SyscallArguments = readonly [number: number, ...args: number[]];

interface Machine {
  /** Handler: reads rows of six words from offset 128 on until a number is negative, and makes the calls. Keeps errno. */
  readonly code: string;
  readonly tgkill: number;
  readonly rtSigaction: number;
}

/*
 * x86_64:                                    arm64:
 *      push rbx                                   adr  x9, table
 *      lea  rbx, [rip + table]               1:   ldr  x8, [x9]
 * 1:   mov  rax, [rbx]                            tbnz x8, #63, 2f
 *      test rax, rax                              ldr  x0, [x9, #8]
 *      js   2f                                    ldr  x1, [x9, #16]
 *      mov  rdi, [rbx + 8]                        ldr  x2, [x9, #24]
 *      mov  rsi, [rbx + 16]                       ldr  x3, [x9, #32]
 *      mov  rdx, [rbx + 24]                       ldr  x4, [x9, #40]
 *      mov  r10, [rbx + 32]                       svc  #0
 *      mov  r8, [rbx + 40]                        add  x9, x9, #48
 *      syscall                                    b    1b
 *      add  rbx, 48                          2:   ret
 *      jmp  1b
 * 2:   pop  rbx
 *      ret
 * and at offset 96, what a handler returns to:
 *      mov  eax, 15 (rt_sigreturn)                (the kernel has its own)
 *      syscall
 */
const MACHINES: Readonly<Record<string, Machine>> = {
  x64: {
    code: '53488d1d78000000488b034885c0781c488b7b08488b7310488b53184c8b53204c8b43280f054883c330ebdc5bc3',
    tgkill: 234,
    rtSigaction: 13,
  },
  arm64: {
    code: '09040010280140f92801f8b7200540f9210940f9220d40f9231140f9241540f9010000d429c10091f7ffff17c0035fd6',
    tgkill: 131,
    rtSigaction: 134,
  },
};
const RETURN_X64 = 'b80f0000000f05';
const RETURN_AT = 96;
const TABLE_AT = 128;
const ROW_WORDS = 6;
const WORD_BYTES = 8;
const ROWS_MAX = 64;
/** libc's own for the purpose; the one signal that no thread blocks. */
const SIGNAL = 33;
const SA_RESTORER = 0x04000000;
const SA_RESTART = 0x10000000;
const SIGSET_BYTES = 8;
const PROT_READ_EXEC = 5;

/** struct sigaction as the kernel has it. */
function actionOf(address: number, arch: string): Buffer {
  const action = Buffer.alloc(32);
  action.writeBigUInt64LE(BigInt(address), 0);
  action.writeBigUInt64LE(BigInt(arch === 'x64' ? SA_RESTART | SA_RESTORER : SA_RESTART), 8);
  if (arch === 'x64') action.writeBigUInt64LE(BigInt(address + RETURN_AT), 16);
  return action;
}

export function threadIds(): number[] {
  return readdirSync('/proc/self/task').map(Number);
}

/**
 * Makes the calls in every thread, also in this one; their results are not told. `isDone` is asked until it holds or `timeoutMs`
 * has passed: returns whether it did. Throws where memory may not be executable, and on machines it has no code for.
 */
export async function broadcastSyscalls(
  calls: readonly SyscallArguments[],
  isDone: () => boolean,
  timeoutMs: number,
): Promise<boolean> {
  const machine = MACHINES[process.arch];
  if (machine === undefined) throw new Error(`no code for ${process.arch}`);
  if (calls.length >= ROWS_MAX) throw new RangeError('too many calls');
  const { address, bytes } = allocateNative(TABLE_AT + (ROWS_MAX + 1) * ROW_WORDS * WORD_BYTES);
  bytes.write(machine.code, 0, 'hex');
  bytes.write(RETURN_X64, RETURN_AT, 'hex');
  for (const [i, call] of calls.entries()) {
    const at = TABLE_AT + i * ROW_WORDS * WORD_BYTES;
    for (const [j, word] of call.entries()) bytes.writeBigInt64LE(BigInt(word), at + j * WORD_BYTES);
  }
  bytes.writeBigInt64LE(-1n, TABLE_AT + calls.length * ROW_WORDS * WORD_BYTES);
  const c = libc();
  if (c.mprotect(address, bytes.length, PROT_READ_EXEC) !== 0)
    throw new Error(`mprotect: ${errnoName(c.errno())}`);
  const previous = Buffer.alloc(32);
  const action = actionOf(address, process.arch);
  if (c.syscallBuffers(machine.rtSigaction, SIGNAL, action, previous, SIGSET_BYTES) !== 0) {
    throw new Error(`rt_sigaction: ${errnoName(c.errno())}`);
  }
  try {
    for (const tid of threadIds()) c.syscallNumbers(machine.tgkill, process.pid, tid, SIGNAL);
    const end = performance.now() + timeoutMs;
    while (!isDone()) {
      if (performance.now() > end) return false;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return true;
  } finally {
    // The code stays mapped: a thread may be late.
    if (isDone()) c.syscallBuffers(machine.rtSigaction, SIGNAL, previous, Buffer.alloc(32), SIGSET_BYTES);
  }
}
