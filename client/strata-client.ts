/** A typed client of one Strata server. */
import { Client, type ClientOptions, credentials } from '@grpc/grpc-js';
import {
  CatalogServiceService,
  ListEventTypesRequest,
  type ListEventTypesResponse,
  ListFieldsRequest,
  type ListFieldsResponse,
  type ListPluginsResponse,
  ValidateFilterRequest,
  type ValidateFilterResponse,
} from '../proto/gen/strata/v1/catalog_service.ts';
import {
  EnrichmentServiceService,
  EnrichRequest,
  type EnrichResponse,
} from '../proto/gen/strata/v1/enrichment_service.ts';
import {
  EventServiceService,
  StreamEventsRequest,
  UpdateSubscriptionRequest,
  type UpdateSubscriptionResponse,
} from '../proto/gen/strata/v1/event_service.ts';
import {
  ExtractFieldsRequest,
  type ExtractFieldsResponse,
  ExtractionServiceService,
} from '../proto/gen/strata/v1/extraction_service.ts';
import {
  type GetCountersResponse,
  type GetStatusResponse,
  type GetVersionsResponse,
  NodeServiceService,
} from '../proto/gen/strata/v1/node_service.ts';
import {
  RecordingServiceService,
  RecordRequest,
  type StopRecordingResponse,
} from '../proto/gen/strata/v1/recording_service.ts';
import * as state from '../proto/gen/strata/v1/state_service.ts';
import { StrataClientError, toClientError } from './client-error.ts';
import { EventStream, type MessageSource, type StreamListeners } from './event-stream.ts';
import { RecordingStream } from './recording-stream.ts';

export interface StrataClientOptions {
  /** Longest time a call other than a stream may take, milliseconds. Default 30,000. */
  readonly callTimeoutMs?: number | undefined;
}

/** Requests are written as plain objects in which everything may be left out that the contract has a default for. */
type Partially<Message extends { fromPartial: (object: never) => unknown }> = Parameters<
  Message['fromPartial']
>[0];

/** A method of a generated service definition. */
interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (request: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

const CALL_TIMEOUT_MS = 30_000;
/** Full pages of threads with long environments are larger than the 4 MiB that grpc-js takes by default. */
const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;

export class StrataClient {
  private readonly client: Client;
  private readonly callTimeoutMs: number;

  /**
   * Connects when first used. `target` is `unix:/path/to.sock` or `host:port` (plain text, as servers offer it on
   * loopback addresses).
   */
  constructor(target: string, options: StrataClientOptions = {}) {
    const channelOptions: ClientOptions = { 'grpc.max_receive_message_length': RESPONSE_BYTES_MAX };
    this.client = new Client(target, credentials.createInsecure(), channelOptions);
    this.callTimeoutMs = options.callTimeoutMs ?? CALL_TIMEOUT_MS;
  }

  /** Opens a subscription when the result is iterated. */
  streamEvents(request: Partially<typeof StreamEventsRequest>, listeners: StreamListeners = {}): EventStream {
    const source: MessageSource = this.openStream(
      EventServiceService.streamEvents,
      StreamEventsRequest.fromPartial(request),
    );
    return new EventStream(source, listeners);
  }

  /** Starts a recording when the result is iterated: chunks of a capture file, and what is to be known about it. */
  record(request: Partially<typeof RecordRequest>): RecordingStream {
    return new RecordingStream(
      this.openStream(RecordingServiceService.record, RecordRequest.fromPartial(request)),
    );
  }

  /** Ends a recording in good order; its stream tells when it is complete. */
  stopRecording(recordingId: string): Promise<StopRecordingResponse> {
    return this.call(RecordingServiceService.stopRecording, { recordingId });
  }

  updateSubscription(
    request: Partially<typeof UpdateSubscriptionRequest>,
  ): Promise<UpdateSubscriptionResponse> {
    return this.call(EventServiceService.updateSubscription, UpdateSubscriptionRequest.fromPartial(request));
  }

  enrich(request: Partially<typeof EnrichRequest>): Promise<EnrichResponse> {
    return this.call(EnrichmentServiceService.enrich, EnrichRequest.fromPartial(request));
  }

  extractFields(request: Partially<typeof ExtractFieldsRequest>): Promise<ExtractFieldsResponse> {
    return this.call(ExtractionServiceService.extractFields, ExtractFieldsRequest.fromPartial(request));
  }

  listFields(request: Partially<typeof ListFieldsRequest> = {}): Promise<ListFieldsResponse> {
    return this.call(CatalogServiceService.listFields, ListFieldsRequest.fromPartial(request));
  }

  listEventTypes(request: Partially<typeof ListEventTypesRequest> = {}): Promise<ListEventTypesResponse> {
    return this.call(CatalogServiceService.listEventTypes, ListEventTypesRequest.fromPartial(request));
  }

  validateFilter(request: Partially<typeof ValidateFilterRequest>): Promise<ValidateFilterResponse> {
    return this.call(CatalogServiceService.validateFilter, ValidateFilterRequest.fromPartial(request));
  }

  listPlugins(): Promise<ListPluginsResponse> {
    return this.call(CatalogServiceService.listPlugins, {});
  }

  getThread(request: Partially<typeof state.GetThreadRequest>): Promise<state.GetThreadResponse> {
    return this.call(state.StateServiceService.getThread, state.GetThreadRequest.fromPartial(request));
  }

  listThreads(request: Partially<typeof state.ListThreadsRequest> = {}): Promise<state.ListThreadsResponse> {
    return this.call(state.StateServiceService.listThreads, state.ListThreadsRequest.fromPartial(request));
  }

  getFd(request: Partially<typeof state.GetFdRequest>): Promise<state.GetFdResponse> {
    return this.call(state.StateServiceService.getFd, state.GetFdRequest.fromPartial(request));
  }

  listFds(request: Partially<typeof state.ListFdsRequest>): Promise<state.ListFdsResponse> {
    return this.call(state.StateServiceService.listFds, state.ListFdsRequest.fromPartial(request));
  }

  getUser(request: Partially<typeof state.GetUserRequest>): Promise<state.GetUserResponse> {
    return this.call(state.StateServiceService.getUser, state.GetUserRequest.fromPartial(request));
  }

  listUsers(request: Partially<typeof state.ListUsersRequest> = {}): Promise<state.ListUsersResponse> {
    return this.call(state.StateServiceService.listUsers, state.ListUsersRequest.fromPartial(request));
  }

  getGroup(request: Partially<typeof state.GetGroupRequest>): Promise<state.GetGroupResponse> {
    return this.call(state.StateServiceService.getGroup, state.GetGroupRequest.fromPartial(request));
  }

  listGroups(request: Partially<typeof state.ListGroupsRequest> = {}): Promise<state.ListGroupsResponse> {
    return this.call(state.StateServiceService.listGroups, state.ListGroupsRequest.fromPartial(request));
  }

  listInterfaces(
    request: Partially<typeof state.ListInterfacesRequest> = {},
  ): Promise<state.ListInterfacesResponse> {
    return this.call(
      state.StateServiceService.listInterfaces,
      state.ListInterfacesRequest.fromPartial(request),
    );
  }

  getContainer(request: Partially<typeof state.GetContainerRequest>): Promise<state.GetContainerResponse> {
    return this.call(state.StateServiceService.getContainer, state.GetContainerRequest.fromPartial(request));
  }

  listContainers(
    request: Partially<typeof state.ListContainersRequest> = {},
  ): Promise<state.ListContainersResponse> {
    return this.call(
      state.StateServiceService.listContainers,
      state.ListContainersRequest.fromPartial(request),
    );
  }

  getPod(request: Partially<typeof state.GetPodRequest>): Promise<state.GetPodResponse> {
    return this.call(state.StateServiceService.getPod, state.GetPodRequest.fromPartial(request));
  }

  listPods(request: Partially<typeof state.ListPodsRequest> = {}): Promise<state.ListPodsResponse> {
    return this.call(state.StateServiceService.listPods, state.ListPodsRequest.fromPartial(request));
  }

  getStatus(): Promise<GetStatusResponse> {
    return this.call(NodeServiceService.getStatus, {});
  }

  getCounters(): Promise<GetCountersResponse> {
    return this.call(NodeServiceService.getCounters, {});
  }

  getVersions(): Promise<GetVersionsResponse> {
    return this.call(NodeServiceService.getVersions, {});
  }

  /** Waits until the server answers. Rejects with StrataClientError, code UNAVAILABLE, after `timeoutMs`. */
  waitForReady(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.client.waitForReady(Date.now() + timeoutMs, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(new StrataClientError('UNAVAILABLE', 'the server does not answer', {}, { cause: error }));
      });
    });
  }

  /** Ends the connection; streams end with an error. */
  close(): void {
    this.client.close();
  }

  private call<Request, Response>(method: Method<Request, Response>, request: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        { deadline: Date.now() + this.callTimeoutMs },
        (error, response) => {
          if (error !== null) reject(toClientError(error));
          else resolve(response as Response);
        },
      );
    });
  }

  private openStream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
  ): AsyncIterable<Response> & { cancel(): void } {
    const open = () =>
      this.client.makeServerStreamRequest<Request, Response>(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
      );
    let call: ReturnType<typeof open> | undefined;
    return {
      [Symbol.asyncIterator]: () => {
        call = open();
        return call[Symbol.asyncIterator]() as AsyncIterator<Response>;
      },
      cancel: () => call?.cancel(),
    };
  }
}
