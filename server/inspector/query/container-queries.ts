/** Questions about containers. */
import type {
  GetContainerRequest,
  GetContainerResponse,
  ListContainersRequest,
  ListContainersResponse,
} from '../../../proto/gen/strata/v1/state_service.ts';
import { invalidArgument, notFound } from '../../event/strata-error.ts';
import type { ContainerRow } from '../../state/container-table.ts';
import type { StateView } from '../../state/os-state.ts';
import { containerMessage, type FoundContainer, findContainerById } from './container-message.ts';
import { type ListOrder, pageOf } from './page.ts';
import type { QueryContext } from './query-context.ts';
import { viewOf } from './scope.ts';

const BY_KEY: ListOrder<readonly [string, ContainerRow]> = { text: ([key]) => key, number: () => 0 };

/** Throws StrataError NOT_FOUND. */
export function mustFindContainer(view: StateView, id: string): FoundContainer {
  const found = findContainerById(view, id);
  if (found === undefined) throw notFound(`no container ${id}`);
  return found;
}

export function getContainer(
  request: GetContainerRequest,
  { inspector }: QueryContext,
): GetContainerResponse {
  if (request.containerId === '') throw invalidArgument('container_id', 'a container id is needed');
  const view = viewOf(request.scope, inspector);
  return { container: containerMessage(mustFindContainer(view, request.containerId)) };
}

export function listContainers(
  request: ListContainersRequest,
  { inspector }: QueryContext,
): ListContainersResponse {
  const containers = viewOf(request.scope, inspector).allContainers();
  const { rows, page } = pageOf<[string, ContainerRow]>(containers, BY_KEY, request.page);
  return { containers: rows.map(([key, row]) => containerMessage({ key, row })), page };
}
