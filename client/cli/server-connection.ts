/** Connections to a running server, or to a private one. */
import { basename } from 'node:path';
import type { Config } from '../../server/config/config.ts';
import { StrataClient } from '../strata-client.ts';
import { BUNDLED_CAPTURE, checkCaptureFile } from './capture-file.ts';
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

/** Where look-ups go: a capture named by the user, a running server, or the bundled capture. */
export interface LookupOptions {
  readonly target?: string | undefined;
  readonly capture?: string | undefined;
}

/**
 * Connects for look-ups. A private server gets `privateOptions` and the capture; that the bundled one is used is said in a
 * note.
 */
export async function connectForLookup(
  context: CliContext,
  options: LookupOptions,
  privateOptions: Partial<Config>,
): Promise<ServerConnection> {
  const { capture, target } = options;
  if (capture !== undefined) {
    checkCaptureFile(capture);
    return connectPrivate({ ...privateOptions, capture }, capture);
  }
  const running = await connectRunning(context, target);
  if (running !== undefined) return running;
  const name = basename(BUNDLED_CAPTURE);
  note(context, `no server is running: using the bundled capture ${name}`);
  return connectPrivate({ ...privateOptions, capture: BUNDLED_CAPTURE }, name);
}
