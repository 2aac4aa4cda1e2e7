/** StateService, EnrichmentService and ExtractionService: questions passed on to the inspector they are about. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { EnrichmentServiceServer } from '../../proto/gen/strata/v1/enrichment_service.ts';
import type { ExtractionServiceServer } from '../../proto/gen/strata/v1/extraction_service.ts';
import type { StateScope } from '../../proto/gen/strata/v1/state.ts';
import type { StateServiceServer } from '../../proto/gen/strata/v1/state_service.ts';
import { invalidArgument } from '../event/strata-error.ts';
import type { Queries, QueryKind } from '../inspector/queries.ts';
import type { ErrorLog } from './status.ts';
import type { Subscriptions } from './subscriptions.ts';
import { duplexUnimplemented, unary } from './unary.ts';

interface Scoped {
  readonly scope: StateScope | undefined;
}

/** The generated server types allow any further member; handlers here have exactly the methods. */
export type Methods<Server extends UntypedServiceImplementation> = {
  readonly [Name in keyof Server as string extends Name ? never : Name]: Server[Name];
};

/** Items of one batched call; more answer INVALID_ARGUMENT. */
const ITEMS_MAX = 1000;
const FIELDS_MAX = 1024;
/** Values of one call: all fields there are of 64 events hold the inspector, which no event passes meanwhile, for 0.2 s. */
const VALUES_MAX = 65_536;

type ScopedKind = {
  readonly [K in QueryKind]: Queries[K]['request'] extends Scoped ? K : never;
}[QueryKind];

function ask<K extends ScopedKind>(kind: K, subscriptions: Subscriptions, log: ErrorLog) {
  return unary<Queries[K]['request'], Queries[K]['response']>((request) => {
    const { scope } = request as Scoped;
    return subscriptions.mustInspector(scope?.subscriptionId ?? '').query(kind, request);
  }, log);
}

export function stateHandlers(subscriptions: Subscriptions, log: ErrorLog): Methods<StateServiceServer> {
  return {
    getThread: ask('getThread', subscriptions, log),
    listThreads: ask('listThreads', subscriptions, log),
    getFd: ask('getFd', subscriptions, log),
    listFds: ask('listFds', subscriptions, log),
    getUser: ask('getUser', subscriptions, log),
    listUsers: ask('listUsers', subscriptions, log),
    getGroup: ask('getGroup', subscriptions, log),
    listGroups: ask('listGroups', subscriptions, log),
    listInterfaces: ask('listInterfaces', subscriptions, log),
    getContainer: ask('getContainer', subscriptions, log),
    listContainers: ask('listContainers', subscriptions, log),
    getPod: ask('getPod', subscriptions, log),
    listPods: ask('listPods', subscriptions, log),
  };
}

export function enrichmentHandlers(
  subscriptions: Subscriptions,
  log: ErrorLog,
): Methods<EnrichmentServiceServer> {
  return {
    enrich: unary((request) => {
      checkCount('subjects', request.subjects.length, ITEMS_MAX);
      return subscriptions.mustInspector(request.scope?.subscriptionId ?? '').query('enrich', request);
    }, log),
    enrichStream: duplexUnimplemented(
      'EnrichStream comes with live capture; use Enrich, which takes up to 1,000 subjects at once',
      log,
    ),
  };
}

export function extractionHandlers(
  subscriptions: Subscriptions,
  log: ErrorLog,
): Methods<ExtractionServiceServer> {
  return {
    extractFields: unary((request) => {
      checkCount('fields', request.fields.length, FIELDS_MAX);
      checkCount('targets', request.targets.length, ITEMS_MAX);
      checkValues(request.fields.length, request.targets.length);
      return subscriptions.mustInspector(request.scope?.subscriptionId ?? '').query('extractFields', request);
    }, log),
    extractStream: duplexUnimplemented(
      'ExtractStream comes with plugins; use ExtractFields for events of this server',
      log,
    ),
  };
}

function checkCount(member: string, count: number, max: number): void {
  if (count > max) throw invalidArgument(member, `at most ${max} ${member} per call, not ${count}`);
}

function checkValues(fields: number, targets: number): void {
  const count = fields * targets;
  if (count <= VALUES_MAX) return;
  const product = `${fields} fields of ${targets} targets are ${count}`;
  throw invalidArgument('targets', `at most ${VALUES_MAX} values per call: ${product}`);
}
