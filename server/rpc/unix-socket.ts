/** Places a Unix socket: with its permissions before anybody can connect, and never on top of something alive. */
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';

/** Longest path a Unix socket address holds on Linux, in bytes. */
const PATH_BYTES_MAX = 107;
/** How long an answer from whoever may listen there is waited for. */
const PROBE_TIMEOUT_MS = 1000;

export interface UnixListener {
  /** Removes the socket file, unless another server has put its own there. */
  remove(): void;
}

/**
 * Binds through `bind`, which takes a grpc-js address. The socket is made in a private folder beside its place, given its
 * permissions, and moved: so there is no moment with wrong permissions, and a stale file is replaced in one step.
 */
export async function bindUnixSocket(
  path: string,
  mode: number,
  bind: (address: string) => Promise<unknown>,
): Promise<UnixListener> {
  await checkPlace(path);
  const folder = makeFolder(path);
  try {
    const temporary = join(folder, 's');
    if (Buffer.byteLength(temporary) > PATH_BYTES_MAX || Buffer.byteLength(path) > PATH_BYTES_MAX) {
      throw new Error(
        `the socket path ${path} is too long: at most ${PATH_BYTES_MAX} bytes, less the room for a folder`,
      );
    }
    await bind(`unix:${temporary}`);
    chmodSync(temporary, mode);
    const { ino, dev } = lstatSync(temporary);
    renameSync(temporary, path);
    return { remove: () => removeOwn(path, ino, dev) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A private folder beside the socket's place. The place's own folder is made when only it is missing: /run starts empty. */
function makeFolder(path: string): string {
  const place = dirname(path);
  try {
    if (lstatSync(place, { throwIfNoEntry: false }) === undefined) mkdirSync(place, { mode: 0o755 });
    return mkdtempSync(join(place, '.s-'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot listen on unix:${path} (--listen names another place): ${reason}`, {
      cause: error,
    });
  }
}

/** Passes when nothing is there, or a socket that nobody listens on. */
async function checkPlace(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new Error(`${path} exists and is not a socket`);
  if (await isAnswered(path)) throw new Error(`another server listens on ${path}`);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.setTimeout(PROBE_TIMEOUT_MS, () => {
      // Something holds the socket, however slow it is.
      socket.destroy();
      resolve(true);
    });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else reject(new Error(`cannot tell whether another server listens on ${path}`, { cause: error }));
    });
  });
}

function removeOwn(path: string, ino: number, dev: number): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.ino === ino && stat.dev === dev) unlinkSync(path);
}
