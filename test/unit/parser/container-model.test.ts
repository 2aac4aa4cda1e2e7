/** Random lives of containers: what holds after each event, and that every event can be asked for as it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { containerOfCgroups } from '../../../server/container/container-of-cgroups.ts';
import { bareContainer, containerJsonOf } from '../../../server/container/container-rows.ts';
import type { StateView } from '../../../server/state/os-state.ts';
import { ParserHarness } from '../../helpers/parser-harness.ts';

const ID = '0123456789abcdef'.repeat(4);
const IDS = [ID, 'web', 'db-with-a-long-name'];
const NAMES = ['', 'one', 'two'];
const PATHS = [
  '/',
  '/prod',
  '/prod/web',
  '/prod/web/below',
  '/prod/db',
  `/docker/${ID}`,
  `/docker/${ID}/x/y`,
];
const TIDS = [1000, 1001, 1002];
const CHECK = { exe: 'check', args: ['-q'] };

type Step =
  | { readonly kind: 'exec'; readonly tid: number; readonly path: string; readonly isCheck: boolean }
  | {
      readonly kind: 'tell';
      readonly id: string;
      readonly name: string;
      readonly cgroupPath: string;
      readonly hasCheck: boolean;
      readonly isComplete: boolean;
    }
  | { readonly kind: 'remove'; readonly id: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('exec' as const),
    tid: fc.constantFrom(...TIDS),
    path: fc.constantFrom(...PATHS),
    isCheck: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('tell' as const),
    id: fc.constantFrom(...IDS),
    name: fc.constantFrom(...NAMES),
    cgroupPath: fc.constantFrom('', ...PATHS),
    hasCheck: fc.boolean(),
    isComplete: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('remove' as const), id: fc.constantFrom(...IDS) }),
);

function show(harness: ParserHarness, next: Step): number {
  if (next.kind === 'exec') {
    const { tid, path, isCheck } = next;
    const params = { res: 0, exe: isCheck ? CHECK.exe : 'sh', args: isCheck ? '-q\0' : '', tid, pid: tid };
    const rest = { ptid: 1, cwd: '', fdlimit: 64, cgroups: `cpu=${path}\0` };
    return harness.show('PPME_SYSCALL_EXECVE_19_X', { ...params, ...rest }, { tid }).record.num;
  }
  const json =
    next.kind === 'remove'
      ? JSON.stringify({ container: { id: next.id.slice(0, 12), full_id: next.id } })
      : containerJsonOf({
          ...bareContainer(next.id, 'containerd'),
          ...next,
          id: next.id.slice(0, 12),
          healthcheck: next.hasCheck ? CHECK : undefined,
        });
  const name = next.kind === 'remove' ? 'container_removed' : 'container';
  const data = Buffer.from(`${json}\0`, 'latin1');
  return harness.show('PPME_ASYNCEVENT_E', { plugin_id: 0, name, data }, { tid: -1 }).record.num;
}

/** Everything the events above may change, as plain data. */
function pictureOf(view: StateView): unknown {
  const keys = (index: 'id' | 'name', text: string): string[] =>
    [...view.findContainerKeys(index, text)].sort();
  return {
    threads: TIDS.map((tid) => {
      const thread = view.findThread(tid);
      return [thread?.containerId, thread?.category];
    }),
    rows: IDS.map((id) => view.findContainer(id)),
    byName: NAMES.slice(1).map((name) => keys('name', name)),
    byId: IDS.map((id) => keys('id', id.slice(0, 12))),
  };
}

test('threads are in the containers of their cgroups, and the past stays what it was', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const harness = new ParserHarness();
      const { state } = harness;
      state.undo.enabled = true;
      harness.load({ tid: 1, ptid: 0 }, ...TIDS.map((tid) => ({ tid, ptid: 1, cgroups: 'cpu=/\0' })));
      const pictures: (readonly [num: number, picture: unknown])[] = [];
      for (const next of steps) {
        pictures.push([show(harness, next), pictureOf(state)]);
        harness.finish();
        for (const tid of TIDS) {
          const { cgroups, containerId } = harness.thread(tid);
          const match = containerOfCgroups(state.containers, cgroups);
          // A container that has gone keeps its threads; nobody else has them.
          if (match !== undefined) assert.equal(containerId, match.id);
        }
        for (const [key, row] of state.containers.entries()) {
          assert.ok(state.findContainerKeys('id', row.id).includes(key));
          if (row.name !== '') assert.ok(state.findContainerKeys('name', row.name).includes(key));
        }
      }
      for (const [num, picture] of pictures.reverse()) {
        const past = state.asOf(num);
        assert.ok(past !== undefined);
        assert.deepEqual(pictureOf(past), picture);
      }
    }),
    { numRuns: 300 },
  );
});
