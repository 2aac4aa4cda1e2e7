/** Connections to a running server, or to a private one. */
import { basename } from 'node:path';
import type { Config } from '../../server/config/config.ts';
import { StrataClient } from '../strata-client.ts';
import { BUNDLED_CAPTURE, capturePath, checkCaptureFile } from './capture-file.ts';
import { CliError } from './cli-error.ts';
import { type CliContext, note } from './context.ts';
import { startPrivateServer } from './private-server.ts';
import { askedTarget, DEFAULT_TARGET, isListening } from './target.ts';

/** A server that answers. */
export interface ServerConnection {
  readonly client: StrataClient;
  /** For messages: the server's address, or the capture it serves. */
  readonly name: string;
  /** Whether the server is this command's own. */
  readonly isPrivate: boolean;
  close(): Promise<void>;
}

/** A private server that plays a capture once, for one subscriber, and keeps nothing for look-ups. */
export const REPLAY_OPTIONS: Partial<Config> = { 'capture-wait-subscribers': 1, 'retain-events': 0 };

/** A private server of this node's events, for one command: nothing is kept for look-ups. */
const LIVE_OPTIONS: Partial<Config> = { 'capture-engine': 'ebpf', 'retain-events': 0 };

/** How long a server may take to answer at first. */
const READY_TIMEOUT_MS = 5_000;

/** Starts a private server and connects to it. `name` is what messages call it. */
export async function connectPrivate(options: Partial<Config>, name: string): Promise<ServerConnection> {
  const server = await startPrivateServer(options).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    throw new CliError(message.includes(name) ? message : `${name}: ${message}`, undefined, { cause: error });
  });
  const client = new StrataClient(server.address);
  const close = async (): Promise<void> => {
    client.close();
    await server.close();
  };
  return { client, name, isPrivate: true, close };
}

/**
 * Connects to the server the user asked for, or to the one at the default address; undefined when none was asked for and
 * none listens there. Rejects with a CliError when the one asked for does not answer.
 */
export async function connectRunning(
  context: CliContext,
  option: string | undefined,
): Promise<ServerConnection | undefined> {
  const asked = askedTarget(option, context.environment);
  if (asked === undefined && !(await isListening(DEFAULT_TARGET))) return undefined;
  const target = asked ?? DEFAULT_TARGET;
  const client = new StrataClient(target);
  const close = async (): Promise<void> => client.close();
  try {
    await client.waitForReady(READY_TIMEOUT_MS);
  } catch (error) {
    client.close();
    throw new CliError(`no server answers at ${target}`, undefined, { cause: error });
  }
  return { client, name: target, isPrivate: false, close };
}

/** What messages call a private server of this node. */
export const THIS_NODE = 'live capture';

/** Starts a private server that captures this node live. Rejects with a CliError that says what is missing. */
export function connectLive(options: Partial<Config>): Promise<ServerConnection> {
  return connectPrivate({ ...LIVE_OPTIONS, ...options }, THIS_NODE);
}

/** Starts a private server on the bundled capture, with a note that says so. */
export function connectBundled(
  context: CliContext,
  reason: string,
  options: Partial<Config>,
): Promise<ServerConnection> {
  const name = basename(BUNDLED_CAPTURE);
  note(context, `${reason}: using the bundled capture ${name}`);
  return connectPrivate({ ...options, capture: BUNDLED_CAPTURE }, name);
}

/** Where look-ups go: a capture named by the user, a running server, or this node. */
export interface LookupOptions {
  readonly target?: string | undefined;
  readonly capture?: string | undefined;
}

/** Starts a private server when there is neither a capture nor a server that runs. */
export type ConnectElse = () => Promise<ServerConnection>;

/** Connects for look-ups. A private server of a capture gets `privateOptions`. */
export async function connectForLookup(
  context: CliContext,
  options: LookupOptions,
  privateOptions: Partial<Config>,
  connectElse: ConnectElse,
): Promise<ServerConnection> {
  const { capture, target } = options;
  if (capture !== undefined) {
    const path = capturePath(capture);
    checkCaptureFile(path);
    return connectPrivate({ ...privateOptions, capture: path }, path === capture ? path : basename(path));
  }
  return (await connectRunning(context, target)) ?? connectElse();
}
