/** Random valid and invalid event sequences: after each event the tables agree with each other, and the past stays the past. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EVENT_TABLE } from '../../../server/event/event-table.ts';
import type { StateView } from '../../../server/state/os-state.ts';
import { type ParamValue, sockaddr, sockTuple, unixTuple } from '../../helpers/event-builder.ts';
import { ParserHarness } from '../../helpers/parser-harness.ts';

const TIDS_MAX = 8;
const FDS_MAX = 4;
const THREADS_LIMIT = 6;
const START_TS = 1_700_000_000_000_000_000n;

interface Step {
  readonly code: string;
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly tid: number;
  readonly waitNs: bigint;
}

const tid = fc.integer({ min: 1, max: TIDS_MAX });
const fd = fc.integer({ min: -3, max: 6 });
const result = fc.constantFrom(0, 0, 0, 1, -2, 5);
const path = fc.constantFrom('/a', 'b', '../c', '', '/very/long/path', '<NA>');
const tuple = fc.constantFrom(
  sockTuple('10.0.0.1', 5000, '8.8.8.8', 53),
  sockTuple('8.8.8.8', 53, '10.0.0.1', 5000),
  sockTuple('00000000000000000000000000000001', 7, '00000000000000000000000000000001', 8),
  unixTuple(1n, 2n, '/run/s'),
  Buffer.from([2, 1]),
  Buffer.alloc(0),
);
const address = fc.constantFrom(sockaddr('0.0.0.0', 53), sockaddr('1.2.3.4', 0), Buffer.from([99]));
const flags = fc.constantFrom(0, 8192 | 1, 536870912, 64, 256, 1 << 27);

const clone = fc.record({
  res: fc.integer({ min: -1, max: TIDS_MAX }),
  exe: fc.constant('x'),
  pid: tid,
  ptid: fc.integer({ min: -1, max: TIDS_MAX }),
  fdlimit: fc.constant(10),
  comm: fc.constant('x'),
  cgroups: fc.constantFrom('cpu=/\0', `cpu=/docker/${'a'.repeat(64)}\0`, 'broken'),
  flags,
  uid: fc.constant(0),
  gid: fc.constant(0),
  vtid: tid,
  vpid: tid,
});

const FAMILIES: Readonly<Record<string, fc.Arbitrary<Record<string, ParamValue>>>> = {
  PPME_SYSCALL_OPEN_X: fc.record({ fd, name: path, flags: fc.constantFrom(1, 4097, 1024) }),
  PPME_SYSCALL_OPENAT_2_X: fc.record({ fd, dirfd: fc.constantFrom(-100, 0, 1), name: path, flags }),
  PPME_SYSCALL_OPENAT_2_E: fc.record({ dirfd: fc.constant(-100), name: path, flags }),
  PPME_SYSCALL_CLOSE_X: fc.record({ res: result, fd }),
  PPME_SYSCALL_CLOSE_RANGE_X: fc.record({ res: result, first: fc.nat(5), last: fc.nat(5), flags: fc.nat(4) }),
  PPME_SYSCALL_DUP2_X: fc.record({ res: fd, oldfd: fd, newfd: fd }),
  PPME_SYSCALL_FCNTL_X: fc.record({ res: fd, fd, cmd: fc.constantFrom(1, 3, 26), arg: fc.nat(1) }),
  PPME_SYSCALL_PIPE2_X: fc.record({ res: result, fd1: fd, fd2: fd, ino: fc.nat(9), flags }),
  PPME_SOCKET_SOCKET_X: fc.record({ fd, domain: fc.constantFrom(1, 2, 10, 99), type: fc.nat(3) }),
  PPME_SOCKET_SOCKETPAIR_X: fc.record({ res: result, fd1: fd, fd2: fd }),
  PPME_SOCKET_BIND_X: fc.record({ res: result, addr: address, fd }),
  PPME_SOCKET_CONNECT_X: fc.record({ res: result, tuple, fd, addr: address }),
  PPME_SOCKET_ACCEPT4_6_X: fc.record({ fd, tuple }),
  PPME_SOCKET_SENDTO_X: fc.record({ res: result, data: fc.constant('d'), fd, tuple }),
  PPME_SOCKET_RECVFROM_X: fc.record({ res: result, data: fc.constant('d'), tuple, fd }),
  PPME_SYSCALL_READ_X: fc.record({ res: result, data: fc.constant('d'), fd }),
  PPME_SYSCALL_CLONE_20_X: clone,
  PPME_SYSCALL_CLONE3_X: clone,
  PPME_SYSCALL_VFORK_20_X: clone,
  PPME_SYSCALL_EXECVE_19_X: fc.record({ res: result, exe: path, pid: tid, ptid: tid, comm: path }),
  PPME_PROCEXIT_1_E: fc.record({
    status: fc.constant(0),
    reaper_tid: fc.integer({ min: -1, max: TIDS_MAX }),
  }),
  PPME_SYSCALL_CHDIR_X: fc.record({ res: result, path }),
  PPME_SYSCALL_SETUID_X: fc.record({ res: result, uid: fc.nat(9) }),
  PPME_SYSCALL_PRCTL_X: fc.record({ res: result, option: fc.constantFrom(36, 37), arg2_int: fc.nat(1) }),
  PPME_SYSCALL_PRLIMIT_X: fc.record({ res: result, newcur: fc.nat(9), pid: tid, resource: fc.constant(7) }),
  PPME_SYSCALL_BRK_4_X: fc.record({ res: result, vm_size: fc.nat(9), vm_rss: fc.nat(9), vm_swap: fc.nat(9) }),
  PPME_USER_ADDED_E: fc.record({ uid: fc.nat(3), name: path, container_id: fc.constantFrom('', 'c') }),
  PPME_USER_DELETED_E: fc.record({ uid: fc.nat(3), container_id: fc.constantFrom('', 'c') }),
};

/** Any event type with bytes of any length where values are expected. */
const garbage = fc
  .tuple(fc.constantFrom(...EVENT_TABLE), fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 32 }))
  .map(([info, values]) => {
    const params: Record<string, ParamValue> = {};
    for (const [i, param] of info.params.entries()) params[param.name] = Buffer.from(values[i] ?? []);
    return { code: info.code, params };
  });

const known = fc
  .constantFrom(...Object.keys(FAMILIES))
  .chain((code) =>
    (FAMILIES[code] as fc.Arbitrary<Record<string, ParamValue>>).map((params) => ({ code, params })),
  );

const step: fc.Arbitrary<Step> = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: known }, { weight: 1, arbitrary: garbage }),
    fc.integer({ min: -1, max: TIDS_MAX }),
    fc.constantFrom(1n, 1n, 3_000_000_000n),
  )
  .map(([event, eventTid, waitNs]) => ({ ...event, tid: eventTid, waitNs }));

function startState(): ParserHarness {
  const harness = new ParserHarness({ threadsMax: THREADS_LIMIT, fdsPerProcessMax: FDS_MAX, usersMax: 3 });
  harness.load({ tid: 1, ptid: 0 }, { tid: 2, ptid: 1 }, { tid: 3, pid: 2, ptid: 1 });
  harness.state.undo.enabled = true;
  return harness;
}

function checkInvariants(harness: ParserHarness): void {
  const { state } = harness;
  const { threads, tree } = state;
  assert.ok(threads.size <= THREADS_LIMIT, 'threads beyond the limit');
  assert.ok(state.users.size <= 3, 'users beyond the limit');
  for (const row of threads.values()) {
    assert.ok(row.fds.size <= FDS_MAX, `fds of ${row.tid} beyond the limit`);
    const group = row.threadGroup;
    if (group !== undefined) {
      assert.equal(tree.findGroup(group.pid), group, `thread ${row.tid} points to a missing group`);
      assert.ok(group.tids.has(row.tid), `group ${group.pid} does not know its thread ${row.tid}`);
      const members = [...group.tids].map((member) => threads.find(member));
      const alive = members.filter((member) => member?.isDead === false).length;
      assert.equal(group.aliveCount, alive, `live threads of ${group.pid}`);
    }
    for (const child of row.children) {
      assert.equal(threads.find(child)?.ptid, row.tid, `child ${child} of ${row.tid} has another parent`);
    }
  }
}

/** Everything fields can read, as text. */
function snapshot(view: StateView): string {
  const threads = [...view.allThreads()].sort((a, b) => a.tid - b.tid);
  const rows = threads.map((row) => ({
    ids: [row.tid, row.pid, row.ptid, row.vtid, row.vpid, row.uid, row.threadCount, row.isDead, row.flags],
    text: [row.comm, row.exe, row.exepath, row.cwd, row.containerId],
    sizes: [row.vmsizeKb, row.vmrssKb, row.fdlimit, row.cloneTsNs, row.lastExecTsNs],
    fds: [...view.allFds(row.fds)]
      .map(([number, file]) => [
        number,
        file.name,
        file.type,
        file.flags,
        file.openFlags,
        file.sport,
        file.dport,
      ])
      .sort((a, b) => (a[0] as number) - (b[0] as number)),
  }));
  const users = [...view.allUsers()].map(([id, uid, row]) => `${id}/${uid}/${row.name}`).sort();
  const containers = [...view.allContainers()].map(([id]) => id).sort();
  return JSON.stringify({ rows, users, containers }, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}

test('the tables agree with each other after every event', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const harness = startState();
      let ts = START_TS;
      for (const { code, params, tid: eventTid, waitNs } of steps) {
        ts += waitNs;
        harness.send(code, params, { tid: eventTid, ts });
        checkInvariants(harness);
      }
    }),
    { numRuns: 300 },
  );
});

test('what an event was shown stays what it was', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      const harness = startState();
      const shown: string[] = [];
      let ts = START_TS;
      for (const { code, params, tid: eventTid, waitNs } of steps) {
        ts += waitNs;
        harness.show(code, params, { tid: eventTid, ts });
        shown.push(snapshot(harness.state));
        harness.finish();
      }
      for (const [i, expected] of shown.entries()) {
        const past = harness.state.asOf(i + 1);
        assert.ok(past !== undefined);
        assert.equal(snapshot(past), expected, `event ${i + 1} of ${shown.length}`);
      }
    }),
    { numRuns: 150 },
  );
});
