/** From a question's name to its answer. Synchronous: answers are given between two events, from memory alone. */
import type { Queries, QueryKind } from '../queries.ts';
import { getContainer, listContainers } from './container-queries.ts';
import { getCounters } from './counter-queries.ts';
import { enrich } from './enrich.ts';
import { extractFields } from './extract-fields.ts';
import { getFd, listFds } from './fd-queries.ts';
import { getGroup, getUser, listGroups, listUsers } from './identity-queries.ts';
import { listInterfaces } from './interface-queries.ts';
import { getPod, listPods } from './pod-queries.ts';
import type { QueryContext } from './query-context.ts';
import { getStatus } from './status-queries.ts';
import { getThread, listThreads } from './thread-queries.ts';

type Answers = {
  readonly [K in QueryKind]: (
    request: Queries[K]['request'],
    context: QueryContext,
  ) => Queries[K]['response'];
};

const ANSWERS: Answers = {
  getThread,
  listThreads,
  getFd,
  listFds,
  getUser,
  listUsers,
  getGroup,
  listGroups,
  listInterfaces,
  getContainer,
  listContainers,
  getPod,
  listPods,
  enrich,
  extractFields,
  getStatus,
  getCounters,
};

/** Throws StrataError with the codes that the contract names. */
export function answerQuery<K extends QueryKind>(
  kind: K,
  request: Queries[K]['request'],
  context: QueryContext,
): Queries[K]['response'] {
  return ANSWERS[kind](request, context);
}
