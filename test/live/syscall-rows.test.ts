/**
 * Every parameter of the system calls that are rows or programs of the table, against what a process passed and got. The process is
 * syscalls/make-calls.py, which makes the calls directly.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CONFIG } from '../../server/capture/ebpf/probe-abi.ts';
import { i386Numbers } from '../../server/capture/ebpf/syscall-numbers.ts';
import { type SyscallRow, syscallRows } from '../../server/capture/ebpf/syscall-rows.ts';
import { mustEventInfo } from '../../server/event/event-table.ts';
import { liveOrSkip } from './helpers/live-permission.ts';
import { type RawEvent, RawProbe, type RawValue } from './helpers/raw-probe.ts';

const SCRIPT = fileURLToPath(new URL('./syscalls/make-calls.py', import.meta.url));
/** Calls whose parameters belong to other tests. */
const ELSEWHERE = new Set(['read', 'write', 'execve', 'clone', 'clone3', 'fork', 'vfork']);
const SETTLE_MS = 100;
const SNAPLEN = 80;

/** getpid by int 0x80: mov eax,20; int 0x80; ret. */
const PROBE_32 = `
import ctypes, mmap, os
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes.fromhex('b814000000cd80c3'))
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
assert ctypes.CFUNCTYPE(ctypes.c_int)(address)() == os.getpid()
os._exit(0)
`;

type Expected =
  | number
  | string
  | null
  | { readonly any: true }
  | { readonly mask: number; readonly value: number };

interface Call {
  readonly call: string;
  readonly params: Readonly<Record<string, Expected>>;
}

/** Whether this kernel takes calls of 32-bit x86; without, the process that makes one dies. */
function runs32BitCalls(): boolean {
  if (process.arch !== 'x64') return false;
  const result = spawnSync('python3', ['-c', PROBE_32]);
  if (result.status !== 0) process.stderr.write('32-BIT CALLS NOT TESTED: the kernel does not take them\n');
  return result.status === 0;
}

function agrees(actual: RawValue, expected: Expected): boolean {
  if (expected === null) return actual === undefined;
  if (actual === undefined) return false;
  if (typeof expected === 'string') return actual === expected;
  if (typeof expected === 'number')
    return BigInt.asIntN(64, BigInt(actual)) === BigInt.asIntN(64, BigInt(expected));
  if ('any' in expected) return true;
  return (Number(actual) & expected.mask) >>> 0 === (expected.value & expected.mask) >>> 0;
}

function differences(event: RawEvent, call: Call): string[] {
  return Object.entries(call.params)
    .filter(([name, expected]) => !agrees(event.params[name], expected))
    .map(([name, expected]) => `${name}: ${shown(event.params[name])} instead of ${shown(expected)}`);
}

function shown(value: RawValue | Expected): string {
  return typeof value === 'bigint' ? `${value}` : (JSON.stringify(value) ?? 'empty');
}

/** The next event of a call that agrees, or what is wrong with those there are. */
function verify(
  events: readonly RawEvent[],
  from: number,
  code: string,
  call: Call,
): { at: number; wrong: string } {
  let wrong = `no ${code} was captured`;
  for (let at = from; at < events.length; at++) {
    const event = events[at];
    if (event === undefined || event.code !== code) continue;
    const found = differences(event, call);
    if (found.length === 0) return { at, wrong: '' };
    if (wrong.startsWith('no ')) wrong = found.join('; ');
  }
  return { at: from - 1, wrong };
}

describe('parameters of system calls', liveOrSkip('python3'), () => {
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  const rows = new Map<string, SyscallRow>(syscallRows(arch).map((row) => [row.name, row]));
  const wanted = [...rows.keys()].filter((name) => !ELSEWHERE.has(name));
  let calls: Call[] = [];
  let events: RawEvent[] = [];
  let failed = 0;

  before(async () => {
    const numbers = Object.fromEntries([...rows].map(([name, row]) => [name, row.nr]));
    numbers['getpid id'] = rows.get('getpid')?.syscallId ?? 0;
    const probe = new RawProbe({ tracepoints: [], syscalls: wanted });
    probe.probe.config.writeUInt32LE(SNAPLEN, CONFIG.snaplen);
    try {
      const numbers32 = runs32BitCalls() ? Object.fromEntries(i386Numbers()) : {};
      const child = spawn('python3', [SCRIPT, JSON.stringify(numbers), JSON.stringify(numbers32)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const { tid } = JSON.parse(String((await lines.next()).value)) as { tid: number };
      child.stdin.end('go\n');
      for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
        calls.push(JSON.parse(line.value) as Call);
      }
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      events = probe.drain().filter((event) => event.tid === tid);
      failed = probe.probe.totals().failed;
    } finally {
      probe.close();
    }
  });

  after(() => {
    calls = [];
    events = [];
  });

  it('are what the process passed and got', () => {
    assert.ok(calls.length >= 100, `only ${calls.length} calls were made`);
    const wrong: string[] = [];
    let from = 0;
    for (const call of calls) {
      const code = mustEventInfo(rows.get(call.call)?.eventType ?? 0).code;
      const found = verify(events, from, code, call);
      if (found.wrong !== '') wrong.push(`${call.call}: ${found.wrong}`);
      from = found.at + 1;
    }
    assert.deepEqual(wrong, []);
  });

  it('are written without a failure', () => {
    assert.equal(failed, 0);
  });

  it('belong to every row that is operations only', () => {
    const made = new Set(calls.map(({ call }) => call));
    const unmade = [...rows.values()].filter(
      (row) => row.nr < 500 && row.eventType !== 1 && row.program === undefined && !made.has(row.name),
    );
    assert.deepEqual(
      unmade.map((row) => row.name),
      [],
    );
  });
});
