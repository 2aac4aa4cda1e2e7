import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareContainer } from '../../../server/container/container-rows.ts';
import { CreatedFacts } from '../../../server/container/runtime/created-facts.ts';
import type { RuntimeContainer } from '../../../server/container/runtime/runtime-client.ts';

function factsOf(id: string, isComplete: boolean): RuntimeContainer {
  return { row: { ...bareContainer(id, 'cri'), isComplete }, pid: 0, isRunning: false };
}

/** What is told, and the fetches that wait for an answer. */
function recorded() {
  const told: string[] = [];
  const fetches: PromiseWithResolvers<RuntimeContainer | undefined>[] = [];
  const facts = new CreatedFacts(
    {
      onCreated: (id, early) =>
        told.push(`created ${id} ${early === undefined ? 'bare' : early.row.isComplete ? 'whole' : 'part'}`),
      onStarted: (id) => told.push(`started ${id}`),
      onEnded: (id) => told.push(`ended ${id}`),
    },
    () => {
      const fetch = Promise.withResolvers<RuntimeContainer | undefined>();
      fetches.push(fetch);
      return fetch.promise;
    },
  );
  const answer = async (index: number, container: RuntimeContainer | undefined) => {
    fetches[index]?.resolve(container);
    await Promise.resolve();
    await Promise.resolve();
  };
  return { told, fetches, facts, answer };
}

test('what follows a creation is told after it, in order', async () => {
  const { told, facts, answer } = recorded();
  facts.created('a');
  facts.created('a');
  facts.started('a');
  facts.ended('a');
  facts.started('b');
  assert.deepEqual(told, ['started b']);
  await answer(0, factsOf('a', true));
  assert.deepEqual(told, ['started b', 'created a whole', 'started a', 'ended a']);
});

test('a change of a record tells the creation again with the rest', async () => {
  const { told, fetches, facts, answer } = recorded();
  facts.created('a');
  await answer(0, factsOf('a', false));
  facts.updated('a');
  await answer(1, factsOf('a', true));
  facts.updated('a');
  assert.deepEqual(told, ['created a part', 'created a whole']);
  assert.equal(fetches.length, 2);
});

test('a change while facts are fetched fetches them once more', async () => {
  const { told, facts, answer } = recorded();
  facts.created('a');
  facts.updated('a');
  facts.updated('a');
  await answer(0, factsOf('a', false));
  await answer(1, factsOf('a', true));
  assert.deepEqual(told, ['created a part', 'created a whole']);
});

test('a change after the start, after the end, or of a stranger tells nothing', async () => {
  const { told, fetches, facts, answer } = recorded();
  for (const id of ['a', 'b', 'c']) facts.created(id);
  facts.started('c');
  for (const [index, id] of ['a', 'b', 'c'].entries()) await answer(index, factsOf(id, false));
  facts.started('a');
  facts.ended('b');
  for (const id of ['a', 'b', 'c', 'stranger']) facts.updated(id);
  assert.equal(fetches.length, 3);
  assert.equal(told.length, 6);
});

test('of containers that are never finished only so many are kept', async () => {
  const { fetches, facts, answer } = recorded();
  for (let i = 0; i < 1100; i++) {
    facts.created(`n${i}`);
    await answer(i, factsOf(`n${i}`, false));
  }
  facts.updated('n0');
  assert.equal(fetches.length, 1100);
  facts.updated('n1099');
  assert.equal(fetches.length, 1101);
});

test('a fetch that fails tells the creation without facts', async () => {
  const { told, fetches, facts } = recorded();
  facts.created('a');
  fetches[0]?.reject(new Error('no'));
  await new Promise((resolve) => setImmediate(resolve));
  facts.updated('a');
  assert.deepEqual(told, ['created a bare']);
  assert.equal(fetches.length, 1);
});
