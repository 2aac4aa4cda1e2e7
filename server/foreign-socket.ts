/** Sockets of container runtimes that belong to a user: root needs a capability to connect to them. */
import { readdirSync, statSync } from 'node:fs';
import type { RuntimeOptions } from './container/runtime/hub-types.ts';

/** Below a user's own directory of /run/user. */
const USER_SOCKETS: readonly (readonly [member: 'dockerSockets' | 'podmanSockets', path: string])[] = [
  ['dockerSockets', 'docker.sock'],
  ['podmanSockets', 'podman/podman.sock'],
];
const USERS_MAX = 4096;
const WRITE_BY_OTHERS = 0o002;

/** The first socket, given or found now, that belongs to another user and is closed to others; '' when there is none. */
export function foreignSocket(options: RuntimeOptions, ownUid: number): string {
  if (!options.isEnabled) return '';
  return candidates(options).find((path) => isForeign(path, ownUid)) ?? '';
}

function candidates(options: RuntimeOptions): string[] {
  const { dockerSockets = [], podmanSockets = [], containerdSockets = [], criSockets } = options;
  const given = [...dockerSockets, ...podmanSockets, ...containerdSockets, ...criSockets];
  const folder = `${options.hostRoot}/run/user`;
  const found = usersOf(folder).flatMap((user) =>
    USER_SOCKETS.filter(([member]) => options[member] === undefined).map(
      ([, path]) => `${folder}/${user}/${path}`,
    ),
  );
  return [...given, ...found];
}

function usersOf(folder: string): string[] {
  try {
    return readdirSync(folder).slice(0, USERS_MAX);
  } catch {
    return [];
  }
}

function isForeign(path: string, ownUid: number): boolean {
  try {
    const stat = statSync(path);
    return stat.isSocket() && stat.uid !== ownUid && (stat.mode & WRITE_BY_OTHERS) === 0;
  } catch {
    return false;
  }
}
