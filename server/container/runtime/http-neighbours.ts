/** What a container's inspection only refers to: its image, its pod's sandbox, the container whose network it shares. */
import type { JsonObject } from '../container-json.ts';
import type { ImageFacts } from './docker-image.ts';

/** Ids; '' where there is none, or nothing to be asked. */
export interface NeighbourIds {
  readonly image: string;
  readonly network: string;
  readonly sandbox: string;
}

export interface Neighbours {
  readonly image: ImageFacts | undefined;
  /** Inspections. */
  readonly network: JsonObject | undefined;
  readonly sandbox: JsonObject | undefined;
  /** False when one could not be asked. */
  readonly isComplete: boolean;
}

/** Asks for all at once. Never rejects: a container's own facts are worth having without the rest. */
export async function askNeighbours(
  ids: NeighbourIds,
  askContainer: (fullId: string) => Promise<JsonObject | undefined>,
  askImage: (imageId: string) => Promise<ImageFacts>,
): Promise<Neighbours> {
  let isComplete = true;
  const orMissing = async <T>(id: string, ask: (id: string) => Promise<T>): Promise<T | undefined> => {
    if (id === '') return undefined;
    try {
      return await ask(id);
    } catch {
      isComplete = false;
      return undefined;
    }
  };
  // Containers of a pod share the network of its sandbox.
  const isSame = ids.network === ids.sandbox;
  const [image, sandbox, owner] = await Promise.all([
    orMissing(ids.image, askImage),
    orMissing(ids.sandbox, askContainer),
    orMissing(isSame ? '' : ids.network, askContainer),
  ]);
  return { image, sandbox, network: isSame ? sandbox : owner, isComplete };
}
