/**
 * Questions the inspector answers between two events. Requests and answers are the messages of the contract: plain data
 * that crosses threads by structured clone (`bytes` members arrive as Uint8Array, which the codecs take like Buffer).
 *
 * `scope.subscriptionId` has been resolved by whoever chose the inspector and is ignored here. Failures are StrataErrors
 * with the codes that the contract names; the answer to one item of a batch that fails is an `ItemError` instead.
 */
import type { EnrichRequest, EnrichResponse } from '../../proto/gen/strata/v1/enrichment_service.ts';
import type {
  ExtractFieldsRequest,
  ExtractFieldsResponse,
} from '../../proto/gen/strata/v1/extraction_service.ts';
import type { NodeIdentity } from '../../proto/gen/strata/v1/node.ts';
import type { Counter, SourceStatus, TableStatus } from '../../proto/gen/strata/v1/node_service.ts';
import type {
  GetContainerRequest,
  GetContainerResponse,
  GetFdRequest,
  GetFdResponse,
  GetGroupRequest,
  GetGroupResponse,
  GetPodRequest,
  GetPodResponse,
  GetThreadRequest,
  GetThreadResponse,
  GetUserRequest,
  GetUserResponse,
  ListContainersRequest,
  ListContainersResponse,
  ListFdsRequest,
  ListFdsResponse,
  ListGroupsRequest,
  ListGroupsResponse,
  ListInterfacesRequest,
  ListInterfacesResponse,
  ListPodsRequest,
  ListPodsResponse,
  ListThreadsRequest,
  ListThreadsResponse,
  ListUsersRequest,
  ListUsersResponse,
} from '../../proto/gen/strata/v1/state_service.ts';
import type { DeliveryCounters } from './delivery-counters.ts';

interface Query<Request, Response> {
  readonly request: Request;
  readonly response: Response;
}

/** The inspector's share of `NodeService.GetStatus`. */
export interface InspectorStatus {
  readonly node: NodeIdentity;
  readonly source: SourceStatus;
  readonly tables: readonly TableStatus[];
  readonly containers: ContainerFigures;
}

/** How well events of containers are enriched, as far as the inspector knows. All but `pending` only grow. */
export interface ContainerFigures extends Readonly<DeliveryCounters> {
  /** Events of containers shown. */
  readonly events: number;
  /** Of them, those whose container was known completely when they were shown. */
  readonly completeEvents: number;
  /** Containers that are being asked about now. */
  readonly pending: number;
  /** Records put into the stream, and those that found no room. */
  readonly injected: number;
  readonly injectionsRefused: number;
  /** Containers that left some time after their last thread. */
  readonly swept: number;
}

/** Every question by name. */
export interface Queries {
  readonly getThread: Query<GetThreadRequest, GetThreadResponse>;
  readonly listThreads: Query<ListThreadsRequest, ListThreadsResponse>;
  readonly getFd: Query<GetFdRequest, GetFdResponse>;
  readonly listFds: Query<ListFdsRequest, ListFdsResponse>;
  readonly getUser: Query<GetUserRequest, GetUserResponse>;
  readonly listUsers: Query<ListUsersRequest, ListUsersResponse>;
  readonly getGroup: Query<GetGroupRequest, GetGroupResponse>;
  readonly listGroups: Query<ListGroupsRequest, ListGroupsResponse>;
  readonly listInterfaces: Query<ListInterfacesRequest, ListInterfacesResponse>;
  readonly getContainer: Query<GetContainerRequest, GetContainerResponse>;
  readonly listContainers: Query<ListContainersRequest, ListContainersResponse>;
  readonly getPod: Query<GetPodRequest, GetPodResponse>;
  readonly listPods: Query<ListPodsRequest, ListPodsResponse>;
  readonly enrich: Query<EnrichRequest, EnrichResponse>;
  readonly extractFields: Query<ExtractFieldsRequest, ExtractFieldsResponse>;
  readonly getStatus: Query<undefined, InspectorStatus>;
  readonly getCounters: Query<undefined, readonly Counter[]>;
}

export type QueryKind = keyof Queries;
