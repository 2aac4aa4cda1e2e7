/** A live server that sees the lab, once its runtimes are watched. */
import type { StrataClient } from '../../../client/strata-client.ts';
import { type LiveServer, startLiveServer } from '../../live/helpers/live-server.ts';
import type { ContainerLab } from '../lab/container-lab.ts';
import { until } from './until.ts';

export async function startLabServer(lab: ContainerLab, args: readonly string[] = []): Promise<LiveServer> {
  const server = await startLiveServer([...lab.serverArgs(), ...args]);
  try {
    await runtimesReady(server, lab.drivers().length);
  } catch (error) {
    await server.stop();
    throw new Error(`the runtimes of the lab are not watched:\n${server.log()}`, { cause: error });
  }
  return server;
}

/** Resolves when events of `count` runtimes are received. */
export async function runtimesReady(
  { client }: { readonly client: StrataClient },
  count: number,
): Promise<void> {
  await until(`${count} runtimes are watched`, async () => {
    const { runtimes } = await client.getStatus();
    return runtimes.filter(({ isWatching }) => isWatching).length >= count ? true : undefined;
  });
}
