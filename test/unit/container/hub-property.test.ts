/** Random news, questions and faults in any order: in the end exactly what runs is known, and nobody waits in vain. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RuntimeFault, RuntimeKind } from '../../../server/container/runtime/runtime-client.ts';
import { ScriptedHub } from '../../helpers/scripted-hub.ts';
import { type ScriptedRuntime, scriptedContainer } from '../../helpers/scripted-runtime.ts';

const KINDS = ['docker', 'podman', 'cri'] as const;
const IDS = ['a', 'b', 'c', 'd', 'e'] as const;
const FAULTS: readonly (RuntimeFault | 'hang')[] = ['unreachable', 'timeout', 'protocol', 'refused', 'hang'];
const QUESTIONS = ['connect', 'list', 'inspect', 'watch'] as const;

type Step =
  | { readonly do: 'create' | 'start' | 'end' | 'lose'; readonly kind: RuntimeKind; readonly id: string }
  | { readonly do: 'want' | 'forget'; readonly id: string }
  | { readonly do: 'disconnect' | 'hold' | 'release' | 'heal'; readonly kind: RuntimeKind }
  | {
      readonly do: 'break';
      readonly kind: RuntimeKind;
      readonly question: (typeof QUESTIONS)[number];
      readonly fault: RuntimeFault | 'hang';
    }
  | { readonly do: 'pass'; readonly ms: number };

const kind = fc.constantFrom(...KINDS);
const id = fc.constantFrom(...IDS);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('create', 'start', 'end', 'lose'), kind, id }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('want', 'forget'), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('disconnect', 'hold', 'release', 'heal'), kind }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('break' as const),
      kind,
      question: fc.constantFrom(...QUESTIONS),
      fault: fc.constantFrom(...FAULTS),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 0, 5, 50, 700) }),
  },
);

async function play(steps: readonly Step[]): Promise<void> {
  const bed = new ScriptedHub();
  for (const one of KINDS) {
    const runtime = bed.runtime(one);
    runtime.isListPartial = one === 'docker';
    runtime.containers.set(`first ${one}`, scriptedContainer(`first ${one}`));
  }
  await bed.start(...KINDS);
  const waiting = new Map<string, number>();
  for (const one of steps) await take(bed, one, waiting);
  // The world comes to rest, and everything heals.
  for (const one of KINDS) {
    const runtime = bed.runtime(one);
    runtime.faults.clear();
    runtime.release();
    runtime.held = undefined;
  }
  await bed.clock.advance(70_000);
  const running = new Set(KINDS.flatMap((one) => [...bed.runtime(one).containers.keys()]));
  assert.deepEqual([...bed.known.keys()].sort(), [...running].sort());
  for (const [fullId, { isComplete }] of bed.known) assert.ok(isComplete, `${fullId} is not complete`);
  for (const [fullId, from] of waiting) {
    const answers = bed.updates
      .slice(from)
      .filter(
        (update) =>
          update.fullId === fullId &&
          (update.kind === 'unknown' || (update.kind === 'found' && update.isComplete)),
      );
    assert.ok(answers.length > 0, `${fullId} was wanted and nobody said anything`);
  }
  const { lookups, lookupsFound, lookupsFailed } = bed.hub.counters;
  assert.ok(lookupsFound + lookupsFailed <= lookups, 'a look-up ends once');
  for (const one of KINDS) assert.equal(bed.status(one).state, 'ready');
  await bed.hub.stop();
  assert.equal(bed.clock.timerCount, 0, 'timers are left');
}

async function take(bed: ScriptedHub, one: Step, waiting: Map<string, number>): Promise<void> {
  switch (one.do) {
    case 'pass':
      return bed.clock.advance(one.ms);
    case 'want':
      // What was told just before is the answer, too.
      waiting.set(one.id, bed.told(one.id).at(-1) === 'found' ? lastOf(bed, one.id) : bed.updates.length);
      return bed.want(one.id);
    case 'forget':
      waiting.delete(one.id);
      return bed.forget(one.id);
    case 'break':
      bed.runtime(one.kind).faults.set(one.question, one.fault);
      return;
    case 'create':
    case 'start':
    case 'end':
    case 'lose':
      return takeNews(bed.runtime(one.kind), one.do, one.id);
    default:
      return takeFault(bed.runtime(one.kind), one.do);
  }
}

function lastOf(bed: ScriptedHub, fullId: string): number {
  return bed.updates.findLastIndex((update) => update.fullId === fullId && update.kind === 'found');
}

function takeNews(runtime: ScriptedRuntime, news: 'create' | 'start' | 'end' | 'lose', fullId: string): void {
  if (news === 'create') runtime.create(scriptedContainer(fullId, { name: runtime.kind }));
  else if (news === 'start' && runtime.containers.has(fullId)) runtime.start(fullId);
  else if (news === 'end') runtime.end(fullId);
  // It ends and nobody is told.
  else if (news === 'lose') runtime.containers.delete(fullId);
}

function takeFault(runtime: ScriptedRuntime, what: 'disconnect' | 'hold' | 'release' | 'heal'): void {
  if (what === 'disconnect') runtime.disconnect();
  else if (what === 'hold') runtime.held ??= [];
  else if (what === 'release') runtime.release();
  else runtime.faults.clear();
}

test('after any history exactly what runs is known, and whoever asked was answered', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), (steps) => play(steps)),
    { numRuns: 150 },
  );
});
