/** A real gRPC server over fake inspectors on a Unix socket of its own, and a client of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StrataClient } from '../../client/strata-client.ts';
import { type FieldSchema, FieldType } from '../../proto/gen/strata/v1/value.ts';
import type { FieldRow } from '../../server/fields/field.ts';
import { createRpcServer, type RpcDeps, type RpcServer } from '../../server/rpc/server.ts';
import { FakeInspectors } from './fake-inspectors.ts';
import { ManualClock } from './fake-stream.ts';

export const NAME_SCHEMA: readonly FieldSchema[] = [
  {
    name: 'proc.name',
    type: FieldType.STRING,
    isList: false,
    fieldClass: 'proc',
    unavailableReason: undefined,
  },
];

export interface RpcFixture {
  readonly server: RpcServer;
  readonly client: StrataClient;
  readonly inspectors: FakeInspectors;
  readonly clock: ManualClock;
  readonly socketPath: string;
  readonly loggedErrors: unknown[];
  close(): Promise<void>;
}

export interface FixtureOptions {
  readonly inspectors?: FakeInspectors | undefined;
  readonly subscriptionsMax?: number | undefined;
}

/** A row of a field catalogue, with what a test does not care about filled in. */
function fakeRow(row: Partial<FieldRow>): FieldRow {
  return {
    name: 'proc.name',
    fieldClass: 'proc',
    type: 'string',
    argument: 'none',
    isList: false,
    format: 'NA',
    description: 'a field',
    bind: () => () => undefined,
    ...row,
  };
}

export async function startRpcFixture(options: FixtureOptions = {}): Promise<RpcFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-rpc-'));
  const inspectors = options.inspectors ?? new FakeInspectors(NAME_SCHEMA);
  const clock = new ManualClock();
  const loggedErrors: unknown[] = [];
  const deps: RpcDeps = {
    inspectors,
    catalog: {
      fields: [fakeRow({}), fakeRow({ name: 'fd.name', fieldClass: 'fd', argument: 'index optional' })],
      checkFilter: () => ({ error: undefined, fields: ['proc.name'], eventTypes: undefined }),
    },
    serverVersion: '1.2.3',
    startTimestampNs: 77n,
    limits: {
      subscriptionsMax: options.subscriptionsMax ?? 4,
      replayLingerMs: 1000,
      backlogBytesMax: 1_000_000,
    },
    clock,
    log: { error: ({ err }) => loggedErrors.push(err) },
    extraCounters: () => [{ name: 'extra', value: 1n, description: 'one more' }],
  };
  const server = createRpcServer(deps);
  const socketPath = join(folder, 'rpc.sock');
  await server.listenUnix(socketPath, 0o660);
  server.setServing(true);
  const client = new StrataClient(`unix:${socketPath}`, { callTimeoutMs: 5000 });
  return {
    server,
    client,
    inspectors,
    clock,
    socketPath,
    loggedErrors,
    close: async () => {
      client.close();
      await server.stop(1000);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
