/** Containers of a list that a runtime has answered with. */
import { setImmediate } from 'node:timers/promises';
import { type RuntimeContainer, RuntimeError } from './runtime-client.ts';

/** Elements made into rows before others get their turn: about a millisecond. */
const ELEMENTS_A_TURN = 100;

/**
 * Elements that name no container are left out. Rejects with RuntimeError: `protocol` when the answer is no list, or nothing in it
 * is a container.
 */
export async function listedContainersOf(
  socketPath: string,
  answer: unknown,
  containerOf: (element: unknown) => RuntimeContainer | undefined,
): Promise<readonly RuntimeContainer[]> {
  if (!Array.isArray(answer))
    throw new RuntimeError('protocol', `${socketPath}: the list of containers is none`);
  const elements: readonly unknown[] = answer;
  const containers: RuntimeContainer[] = [];
  for (const [index, element] of elements.entries()) {
    if (index > 0 && index % ELEMENTS_A_TURN === 0) await setImmediate();
    const container = containerOf(element);
    if (container !== undefined) containers.push(container);
  }
  if (containers.length === 0 && elements.length > 0) {
    throw new RuntimeError('protocol', `${socketPath}: no element of the list names a container`);
  }
  return containers;
}
