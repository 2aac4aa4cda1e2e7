/** Unary calls of a service by name, with plain objects: enough for a lab. */
import { fileURLToPath } from 'node:url';
import { type Client, credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const DEADLINE_MS = 30_000;

type Unary = (
  request: unknown,
  metadata: Metadata,
  options: { deadline: number },
  done: (error: ServiceError | null, answer: unknown) => void,
) => void;

export class GrpcCaller {
  private readonly client: Client;
  private readonly metadata: Metadata;

  /** `service` is a full name such as `runtime.v1.RuntimeService`, defined in `protoFile` beside this file. */
  constructor(
    socketPath: string,
    protoFile: string,
    service: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    const definition = loadSync(fileURLToPath(new URL(protoFile, import.meta.url)), {
      keepCase: true,
      longs: String,
      enums: String,
      defaults: true,
    });
    let found: unknown = loadPackageDefinition(definition);
    for (const part of service.split('.')) found = (found as Record<string, unknown>)[part];
    const Service = found as new (address: string, credential: unknown) => Client;
    this.client = new Service(`unix://${socketPath}`, credentials.createInsecure());
    this.metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) this.metadata.set(name, value);
  }

  call<Answer>(method: string, request: unknown = {}): Promise<Answer> {
    const unary = (this.client as unknown as Record<string, Unary | undefined>)[method];
    if (unary === undefined) throw new RangeError(`there is no method ${method}`);
    return new Promise((resolve, reject) => {
      unary.call(
        this.client,
        request,
        this.metadata,
        { deadline: Date.now() + DEADLINE_MS },
        (error, answer) => {
          if (error === null) resolve(answer as Answer);
          else reject(new Error(`${method}: ${error.message}`, { cause: error }));
        },
      );
    });
  }

  close(): void {
    this.client.close();
  }
}
