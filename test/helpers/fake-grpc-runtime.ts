/** What fake CRI runtimes and fake containerd share: a gRPC server on a Unix socket, and what may go wrong with its answers. */
import { fileURLToPath } from 'node:url';
import {
  type GrpcObject,
  loadPackageDefinition,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceClientConstructor,
  type ServiceDefinition,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { FakeSocket } from './fake-socket.ts';

/**
 * `hang`: no answer; `garbage`: bytes that are no message; `wrong-types`: a message whose JSON parts are of other types; `no-json`: whose
 * JSON parts are none; `empty`: a message without members; `refused`: INTERNAL; `unavailable`, `denied`, `unimplemented`: those codes;
 * `reset`: the connection ends; `huge`: a message of forty megabytes.
 */
export const GRPC_FAULTS = [
  'hang',
  'garbage',
  'wrong-types',
  'no-json',
  'empty',
  'refused',
  'unavailable',
  'denied',
  'unimplemented',
  'reset',
  'huge',
] as const;

export type GrpcFault = (typeof GRPC_FAULTS)[number];

export type Message = Readonly<Record<string, unknown>>;

/** An answer, or the code and text of a refusal. */
export type GrpcAnswer = Message | { readonly code: status; readonly details: string };

/** A service as it is served: its full name, definition, and what its methods answer. Streams take part by `FakeGrpcRuntime.send`. */
export interface FakeService {
  readonly name: string;
  readonly definition: ServiceDefinition;
  answer(method: string, request: Message, metadata: Metadata): GrpcAnswer;
  /** Answers of a stream that ends by itself; undefined: it is one of events. */
  answers?(method: string, request: Message, metadata: Metadata): readonly Message[] | GrpcAnswer | undefined;
  /** Makes the answer's JSON parts something else. */
  spoil(answer: Message, how: 'wrong-types' | 'no-json'): Message;
}

const HUGE_BYTES = 40 * 1024 * 1024;
/** Fields of a kind that there is not. */
const GARBAGE = Buffer.from('7fffff', 'hex');

const CODES: Readonly<Partial<Record<GrpcFault, status>>> = {
  refused: status.INTERNAL,
  unavailable: status.UNAVAILABLE,
  denied: status.PERMISSION_DENIED,
  unimplemented: status.UNIMPLEMENTED,
};

/** The services of a file of this folder, by their short names. */
export function loadServices(file: string, packageName: string): Readonly<Record<string, ServiceDefinition>> {
  const path = fileURLToPath(new URL(`./protos/${file}`, import.meta.url));
  const definition = loadSync(path, { keepCase: true, longs: String, defaults: false });
  let level = loadPackageDefinition(definition) as GrpcObject;
  for (const part of packageName.split('.')) level = level[part] as GrpcObject;
  const services: Record<string, ServiceDefinition> = {};
  for (const [name, member] of Object.entries(level)) {
    if (typeof member === 'function') services[name] = (member as ServiceClientConstructor).service;
  }
  return services;
}

export class FakeGrpcRuntime {
  readonly socket: FakeSocket;
  /** Waits before an answer, by method. */
  readonly latenciesMs: Map<string, number>;
  /** What is wrong now, by method (`ContainerStatus`, `Containers.Get`); '' stands for all. */
  readonly faults: Map<string, GrpcFault>;
  /** Calls by method. */
  readonly requests: Map<string, number>;
  /** Whether streams are served; else they are UNIMPLEMENTED, as those of older runtimes. */
  hasEvents: boolean;
  /** What refusals say. */
  details: string;
  private readonly server: Server;
  private readonly streams: Set<ServerWritableStream<Message, Message>>;
  private readonly timers: Set<NodeJS.Timeout>;

  constructor(path: string, services: readonly FakeService[]) {
    this.latenciesMs = new Map();
    this.faults = new Map();
    this.requests = new Map();
    this.hasEvents = true;
    this.details = 'something went wrong';
    this.streams = new Set();
    this.timers = new Set();
    this.server = new Server({ 'grpc.max_send_message_length': -1 });
    for (const service of services) this.addService(service);
    const injector = this.server.createConnectionInjector(ServerCredentials.createInsecure());
    this.socket = new FakeSocket(path, (socket) => injector.injectConnection(socket));
  }

  get watcherCount(): number {
    return this.streams.size;
  }

  requestCount(method: string): number {
    return this.requests.get(method) ?? 0;
  }

  async listen(): Promise<void> {
    await this.socket.listen();
  }

  async close(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    await this.socket.vanish();
    this.server.forceShutdown();
  }

  /** A message, or bytes instead of one, for everybody who watches. */
  send(message: Message | Buffer): void {
    for (const stream of this.streams) stream.write(message as Message);
  }

  endStreams(): void {
    for (const stream of this.streams) stream.end();
  }

  private addService(service: FakeService): void {
    const definition: Record<string, ServiceDefinition[string]> = {};
    const handlers: Record<string, UntypedServiceImplementation[string]> = {};
    const short = service.name.split('.').at(-1) as string;
    for (const [name, method] of Object.entries(service.definition)) {
      const encode = method.responseSerialize;
      definition[name] = {
        ...method,
        path: `/${service.name}/${name}`,
        responseSerialize: (value: unknown) => (Buffer.isBuffer(value) ? value : encode(value)),
      };
      const label = short === 'RuntimeService' || short === 'ImageService' ? name : `${short}.${name}`;
      handlers[name] = method.responseStream
        ? (call: ServerWritableStream<Message, Message>) => this.onStream(service, name, label, call)
        : (call: ServerUnaryCall<Message, Message>, callback: sendUnaryData<Message>) =>
            this.onCall(service, name, label, call, callback);
    }
    this.server.addService(definition, handlers);
  }

  private count(label: string): void {
    this.requests.set(label, this.requestCount(label) + 1);
  }

  private onStream(
    service: FakeService,
    name: string,
    label: string,
    call: ServerWritableStream<Message, Message>,
  ): void {
    this.count(label);
    const fault = this.faults.get(label) ?? this.faults.get('');
    const answers = service.answers?.(name, call.request, call.metadata);
    if (answers !== undefined) {
      this.respondAll(fault, answers, service, call);
      return;
    }
    const code = this.hasEvents ? CODES[fault ?? 'hang'] : status.UNIMPLEMENTED;
    if (code !== undefined) {
      call.emit('error', { code, details: `method ${label.split('.').at(-1)} not implemented` });
      return;
    }
    if (fault === 'reset') this.socket.drop();
    // Real servers send the head with the first message only, unless they are told otherwise; so does this one.
    if (fault === 'hang') return;
    call.sendMetadata(new Metadata());
    if (fault === 'garbage') call.write(GARBAGE as unknown as Message);
    this.streams.add(call);
    const forget = () => this.streams.delete(call);
    call.on('cancelled', forget);
    call.on('close', forget);
    call.on('error', forget);
  }

  private respondAll(
    fault: GrpcFault | undefined,
    answers: readonly Message[] | GrpcAnswer,
    service: FakeService,
    call: ServerWritableStream<Message, Message>,
  ): void {
    if (fault === 'hang') return;
    const all = Array.isArray(answers) ? (answers as readonly Message[]) : [answers as GrpcAnswer];
    for (const answer of all) {
      let isOver = false;
      this.respond(fault, answer, service, (error, message) => {
        isOver = error !== null;
        if (error !== null) call.emit('error', error);
        else call.write(message as Message);
      });
      if (isOver) return;
    }
    call.end();
  }

  private onCall(
    service: FakeService,
    name: string,
    label: string,
    call: ServerUnaryCall<Message, Message>,
    callback: sendUnaryData<Message>,
  ): void {
    this.count(label);
    const fault = this.faults.get(label) ?? this.faults.get('');
    if (fault === 'hang') return;
    const answer = () =>
      this.respond(fault, service.answer(name, call.request, call.metadata), service, callback);
    const delayMs = this.latenciesMs.get(label) ?? 0;
    if (delayMs === 0) {
      answer();
      return;
    }
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      answer();
    }, delayMs);
    this.timers.add(timer);
  }

  private respond(
    fault: GrpcFault | undefined,
    answer: GrpcAnswer,
    service: FakeService,
    callback: sendUnaryData<Message>,
  ): void {
    const code = fault === undefined ? undefined : CODES[fault];
    if (code !== undefined) {
      callback({ code, details: `${fault}: ${this.details}` });
      return;
    }
    switch (fault) {
      case 'garbage':
        callback(null, GARBAGE as unknown as Message);
        return;
      case 'empty':
        callback(null, {});
        return;
      case 'reset':
        this.socket.drop();
        return;
      case 'huge':
        // Field 15 of no message: skipped by who reads all of it.
        callback(null, hugeMessage() as unknown as Message);
        return;
    }
    if (isRefusal(answer)) {
      callback(answer);
      return;
    }
    callback(null, fault === 'wrong-types' || fault === 'no-json' ? service.spoil(answer, fault) : answer);
  }
}

function isRefusal(answer: GrpcAnswer): answer is { readonly code: status; readonly details: string } {
  return typeof (answer as { readonly code?: unknown }).code === 'number';
}

/** A length-delimited field of unknown number and forty megabytes. */
function hugeMessage(): Buffer {
  const bytes = Buffer.alloc(HUGE_BYTES + 8);
  bytes[0] = (15 << 3) | 2;
  let length = HUGE_BYTES;
  let at = 1;
  for (; length > 127; length = Math.floor(length / 128)) bytes[at++] = (length % 128) | 128;
  bytes[at++] = length;
  return bytes.subarray(0, at + HUGE_BYTES);
}
