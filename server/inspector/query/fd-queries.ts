/** Questions about the open fds of a process. */
import type {
  GetFdRequest,
  GetFdResponse,
  ListFdsRequest,
  ListFdsResponse,
} from '../../../proto/gen/strata/v1/state_service.ts';
import { notFound } from '../../event/strata-error.ts';
import type { FdInfo } from '../../state/fd-info.ts';
import type { StateView } from '../../state/os-state.ts';
import { fdMessage } from './fd-message.ts';
import { type ListOrder, pageOf } from './page.ts';
import type { QueryContext } from './query-context.ts';
import { viewOf } from './scope.ts';
import { mustFindThread } from './thread-queries.ts';

const BY_NUMBER: ListOrder<readonly [number, FdInfo]> = { text: () => '', number: ([fd]) => fd };

/** Throws StrataError NOT_FOUND that says whether it is the thread or its fd that is missing. */
export function mustFindFd(view: StateView, tid: bigint, fd: bigint): FdInfo {
  const thread = mustFindThread(view, tid);
  const row = view.findFd(thread.fds, Number(fd));
  if (row === undefined) throw notFound(`no fd ${fd} in the process of thread ${tid}`);
  return row;
}

export function getFd(request: GetFdRequest, { inspector }: QueryContext): GetFdResponse {
  const row = mustFindFd(viewOf(request.scope, inspector), request.tid, request.fd);
  return { fd: fdMessage(Number(request.fd), row) };
}

export function listFds(request: ListFdsRequest, { inspector }: QueryContext): ListFdsResponse {
  const view = viewOf(request.scope, inspector);
  const thread = mustFindThread(view, request.tid);
  const { rows, page } = pageOf(view.allFds(thread.fds), BY_NUMBER, request.page);
  return { fds: rows.map(([fd, row]) => fdMessage(fd, row)), page };
}
