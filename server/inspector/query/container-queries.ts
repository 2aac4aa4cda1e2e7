/** Questions about containers. */
import type {
  GetContainerRequest,
  GetContainerResponse,
  ListContainersRequest,
  ListContainersResponse,
} from '../../../proto/gen/strata/v1/state_service.ts';
import { invalidArgument, notFound, StrataError } from '../../event/strata-error.ts';
import type { ContainerRow } from '../../state/container-table.ts';
import type { StateView } from '../../state/os-state.ts';
import {
  containerMessage,
  type FoundContainer,
  findContainersById,
  findContainersByName,
} from './container-message.ts';
import { type ListOrder, pageOf } from './page.ts';
import type { QueryContext } from './query-context.ts';
import { viewOf } from './scope.ts';
import { utf8Of } from './text.ts';

const BY_KEY: ListOrder<readonly [string, ContainerRow]> = { text: ([key]) => key, number: () => 0 };

/** Ids that an error lists of those that an ambiguous name stands for. */
const LISTED_IDS_MAX = 16;

/** By full or short id. Throws StrataError NOT_FOUND, or FAILED_PRECONDITION when several are shown with it. */
export function mustFindContainer(view: StateView, id: string): FoundContainer {
  return mustBeOne(findContainersById(view, id), id);
}

/** Throws StrataError NOT_FOUND, or FAILED_PRECONDITION when several have the name. */
export function mustFindContainerByName(view: StateView, name: string): FoundContainer {
  return mustBeOne(findContainersByName(view, name), `named ${name}`);
}

function mustBeOne(found: readonly FoundContainer[], what: string): FoundContainer {
  const [only] = found;
  if (only === undefined) throw notFound(`no container ${what}`);
  if (found.length === 1) return only;
  const ids = found.slice(0, LISTED_IDS_MAX).map(({ key }) => utf8Of(key));
  const others = found.length - ids.length;
  throw new StrataError({
    code: 'FAILED_PRECONDITION',
    message: `${found.length} containers ${what}: ${ids.join(', ')}${others === 0 ? '' : ` and ${others} more`}`,
    reason: 'AMBIGUOUS',
    suggestions: ids,
  });
}

export function getContainer(
  { containerId, name, scope }: GetContainerRequest,
  { inspector }: QueryContext,
): GetContainerResponse {
  if (containerId === '' && name === '')
    throw invalidArgument('container_id', 'a container id or a name is needed');
  if (containerId !== '' && name !== '') throw invalidArgument('name', 'a container id is given as well');
  const view = viewOf(scope, inspector);
  const found = name === '' ? mustFindContainer(view, containerId) : mustFindContainerByName(view, name);
  return { container: containerMessage(found) };
}

export function listContainers(
  request: ListContainersRequest,
  { inspector }: QueryContext,
): ListContainersResponse {
  const containers = viewOf(request.scope, inspector).allContainers();
  const { rows, page } = pageOf<[string, ContainerRow]>(containers, BY_KEY, request.page);
  return { containers: rows.map(([key, row]) => containerMessage({ key, row })), page };
}
