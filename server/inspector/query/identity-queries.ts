/** Questions about users and groups. */
import type {
  GetGroupRequest,
  GetGroupResponse,
  GetUserRequest,
  GetUserResponse,
  ListGroupsRequest,
  ListGroupsResponse,
  ListUsersRequest,
  ListUsersResponse,
} from '../../../proto/gen/strata/v1/state_service.ts';
import { notFound } from '../../event/strata-error.ts';
import type { GroupRow, UserRow } from '../../state/user-table.ts';
import { groupMessage, userMessage } from './identity-message.ts';
import { type ListOrder, pageOf } from './page.ts';
import type { QueryContext } from './query-context.ts';
import { viewOf } from './scope.ts';
import { binaryOf } from './text.ts';

const BY_CONTAINER_AND_ID: ListOrder<readonly [string, number, UserRow | GroupRow]> = {
  text: ([containerId]) => containerId,
  number: ([, id]) => id,
};

export function getUser(request: GetUserRequest, { inspector }: QueryContext): GetUserResponse {
  const containerId = binaryOf(request.containerId);
  const row = viewOf(request.scope, inspector).findUser(containerId, request.uid);
  if (row === undefined) throw notFound(`no user ${request.uid} ${placeOf(request.containerId)}`);
  return { user: userMessage(containerId, row) };
}

export function listUsers(request: ListUsersRequest, { inspector }: QueryContext): ListUsersResponse {
  const users = viewOf(request.scope, inspector).allUsers();
  const { rows, page } = pageOf<[string, number, UserRow]>(users, BY_CONTAINER_AND_ID, request.page);
  return { users: rows.map(([containerId, , row]) => userMessage(containerId, row)), page };
}

export function getGroup(request: GetGroupRequest, { inspector }: QueryContext): GetGroupResponse {
  const containerId = binaryOf(request.containerId);
  const row = viewOf(request.scope, inspector).findGroup(containerId, request.gid);
  if (row === undefined) throw notFound(`no group ${request.gid} ${placeOf(request.containerId)}`);
  return { group: groupMessage(containerId, row) };
}

export function listGroups(request: ListGroupsRequest, { inspector }: QueryContext): ListGroupsResponse {
  const groups = viewOf(request.scope, inspector).allGroups();
  const { rows, page } = pageOf<[string, number, GroupRow]>(groups, BY_CONTAINER_AND_ID, request.page);
  return { groups: rows.map(([containerId, , row]) => groupMessage(containerId, row)), page };
}

function placeOf(containerId: string): string {
  return containerId === '' ? 'on the host' : `in container ${containerId}`;
}
