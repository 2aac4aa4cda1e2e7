/** The lists of the state that `strata get` prints: how to ask for a page of each, and its columns. */
import type {
  Container,
  Fd,
  Group,
  NetworkInterface,
  PageResponse,
  Pod,
  StateScope,
  Thread,
  User,
} from '../../proto/gen/strata/v1/state.ts';
import type { StrataClient } from '../strata-client.ts';
import { POD_COLUMNS } from './pod-view.ts';
import {
  CONTAINER_COLUMNS,
  FD_COLUMNS,
  GROUP_COLUMNS,
  INTERFACE_COLUMNS,
  THREAD_COLUMNS,
  USER_COLUMNS,
} from './state-views.ts';
import type { TableColumn } from './table.ts';

export interface ListRequest {
  readonly scope: Partial<StateScope>;
  readonly page: { readonly pageToken: string };
}

/** A server's answer to one page of a list. */
export interface ListPage<Row> {
  readonly rows: readonly Row[];
  readonly page?: PageResponse | undefined;
}

export interface StateList<Row extends object> {
  readonly columns: readonly TableColumn<Row>[];
  fetch(client: StrataClient, request: ListRequest): Promise<ListPage<Row>>;
}

export const THREAD_LIST: StateList<Thread> = {
  columns: THREAD_COLUMNS,
  fetch: async (client, request) => {
    const { threads, page } = await client.listThreads(request);
    return { rows: threads, page };
  },
};

export const USER_LIST: StateList<User> = {
  columns: USER_COLUMNS,
  fetch: async (client, request) => {
    const { users, page } = await client.listUsers(request);
    return { rows: users, page };
  },
};

export const GROUP_LIST: StateList<Group> = {
  columns: GROUP_COLUMNS,
  fetch: async (client, request) => {
    const { groups, page } = await client.listGroups(request);
    return { rows: groups, page };
  },
};

/** Interfaces come in one answer and do not change with events. */
export const INTERFACE_LIST: StateList<NetworkInterface> = {
  columns: INTERFACE_COLUMNS,
  fetch: async (client) => ({ rows: (await client.listInterfaces()).interfaces }),
};

export const CONTAINER_LIST: StateList<Container> = {
  columns: CONTAINER_COLUMNS,
  fetch: async (client, request) => {
    const { containers, page } = await client.listContainers(request);
    return { rows: containers, page };
  },
};

export const POD_LIST: StateList<Pod> = {
  columns: POD_COLUMNS,
  fetch: async (client, request) => {
    const { pods, page } = await client.listPods(request);
    return { rows: pods, page };
  },
};

/** The fds of the process of thread `tid`. */
export function fdList(tid: bigint): StateList<Fd> {
  return {
    columns: FD_COLUMNS,
    fetch: async (client, request) => {
      const { fds, page } = await client.listFds({ tid, ...request });
      return { rows: fds, page };
    },
  };
}

/** All rows, page after page. */
export async function* listRows<Row extends object>(
  list: StateList<Row>,
  client: StrataClient,
  scope: Partial<StateScope>,
): AsyncGenerator<Row, void, undefined> {
  let pageToken = '';
  do {
    const { rows, page } = await list.fetch(client, { scope, page: { pageToken } });
    yield* rows;
    pageToken = page?.nextPageToken ?? '';
  } while (pageToken !== '');
}
