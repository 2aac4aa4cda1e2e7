/** Finds the sockets of container runtimes: the well-known ones under the node's root, and those that were named. */
import { readdirSync, realpathSync, statSync } from 'node:fs';
import type { RuntimeOptions } from './hub-types.ts';
import type { RuntimeKind } from './runtime-client.ts';

/** A socket that there may be a runtime behind. One that speaks two languages is there once for each. */
export interface FoundSocket {
  readonly kind: RuntimeKind;
  readonly socketPath: string;
  /** Device and number; '' when there is nothing (sockets that were named are listed all the same). Changes when it is made anew. */
  readonly identity: string;
  /** Whether it was named: then there must be a runtime. */
  readonly isNamed: boolean;
  /** Whose folder it was found in, when that is an ordinary user's: who answers there may say anything. */
  readonly userId: number | undefined;
}

/** What is looked at. */
export interface SocketFiles {
  /** Device, number and time of a socket; undefined when there is none at this path. Links are followed, but not out of `root`. */
  identityOf(path: string, root: string): string | undefined;
  /** Names in a folder; empty when it cannot be read. */
  list(path: string): readonly string[];
}

/** What a socket is for. One of `containerd` is asked in CRI and in containerd's own language. */
type Family = 'docker' | 'podman' | 'containerd' | 'cri';

const KINDS: Readonly<Record<Family, readonly RuntimeKind[]>> = {
  docker: ['docker'],
  podman: ['podman'],
  containerd: ['cri', 'containerd'],
  cri: ['cri'],
};

/** A socket is asked once in each language. Podman's socket would answer in Docker's, too. */
const LANGUAGES: Readonly<Record<RuntimeKind, string>> = {
  docker: 'http',
  podman: 'http',
  cri: 'cri',
  containerd: 'containerd',
};

/**
 * In order: the first name of a socket counts. Podman is before Docker, as its socket may also have Docker's name (podman-docker).
 * `*` stands for one part, the folder of a user.
 */
const WELL_KNOWN: readonly (readonly [family: Family, path: string])[] = [
  ['podman', '/run/podman/podman.sock'],
  ['podman', '/var/run/podman/podman.sock'],
  ['docker', '/run/docker.sock'],
  ['docker', '/var/run/docker.sock'],
  ['containerd', '/run/containerd/containerd.sock'],
  ['containerd', '/var/run/containerd/containerd.sock'],
  ['containerd', '/run/k3s/containerd/containerd.sock'],
  ['containerd', '/run/k0s/containerd.sock'],
  ['containerd', '/run/host-containerd/containerd.sock'],
  ['containerd', '/var/snap/microk8s/common/run/containerd.sock'],
  ['containerd', '/run/docker/containerd/containerd.sock'],
  ['cri', '/run/crio/crio.sock'],
  ['cri', '/var/run/crio/crio.sock'],
  ['cri', '/run/cri-dockerd.sock'],
  // Last, lest a user takes a socket of the node for theirs by a link.
  ['podman', '/run/user/*/podman/podman.sock'],
  ['docker', '/run/user/*/docker.sock'],
];

const USER_ID = /^\d{1,10}$/;

/** Users whose folders are looked into. */
const USERS_MAX = 1024;

export const SOCKET_FILES: SocketFiles = {
  identityOf: (path, root) => {
    const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
    if (stat?.isSocket() !== true) return undefined;
    // Links such as /var/run -> /run lead from the node's root into our own.
    if (root !== '' && !realpathSync(path).startsWith(`${realpathSync(root)}/`)) return undefined;
    return `${stat.dev} ${stat.ino} ${stat.ctimeNs}`;
  },
  list: (path) => readdirSync(path),
};

/** Where a socket may be. `root`: links may not lead out of it; '' where they may lead anywhere. */
interface Candidate {
  readonly family: Family;
  readonly socketPath: string;
  readonly root: string;
  readonly isNamed: boolean;
  readonly userId: number | undefined;
}

function namedSocket(family: Family, socketPath: string): Candidate {
  return { family, socketPath, root: '', isNamed: true, userId: undefined };
}

export class Discovery {
  private readonly options: RuntimeOptions;
  private readonly files: SocketFiles;

  constructor(options: RuntimeOptions, files: SocketFiles = SOCKET_FILES) {
    this.options = options;
    this.files = files;
  }

  /** What there is now; the same socket once per language, whatever its names. */
  find(): FoundSocket[] {
    const seen = new Set<string>();
    const found: FoundSocket[] = [];
    for (const { family, socketPath, root, isNamed, userId } of this.candidates()) {
      const identity = this.identityOf(socketPath, root);
      if (identity === undefined && !isNamed) continue;
      for (const kind of KINDS[family]) {
        const key = `${LANGUAGES[kind]} ${identity ?? socketPath}`;
        if (seen.has(key)) continue;
        seen.add(key);
        found.push({ kind, socketPath, identity: identity ?? '', isNamed, userId });
      }
    }
    return found;
  }

  private *candidates(): Generator<Candidate> {
    const { hostRoot, dockerSockets, podmanSockets, containerdSockets, criSockets } = this.options;
    const named = { docker: dockerSockets, podman: podmanSockets, containerd: containerdSockets };
    for (const path of criSockets) yield namedSocket('cri', path);
    for (const family of ['docker', 'podman', 'containerd'] as const) {
      for (const path of named[family] ?? []) yield namedSocket(family, path);
    }
    for (const [family, path] of WELL_KNOWN) {
      // CRI is off only together with everything else: there is no other word for it.
      if (family !== 'cri' && named[family] !== undefined) continue;
      const [folder, rest] = path.split('*');
      if (rest === undefined) {
        yield { family, socketPath: `${hostRoot}${path}`, root: hostRoot, isNamed: false, userId: undefined };
        continue;
      }
      for (const name of this.list(`${hostRoot}${folder}`).slice(0, USERS_MAX)) {
        if (!USER_ID.test(name)) continue;
        const root = `${hostRoot}${folder}${name}`;
        // Root speaks for the node.
        const userId = Number(name) === 0 ? undefined : Number(name);
        yield { family, socketPath: `${root}${rest}`, root, isNamed: false, userId };
      }
    }
  }

  private list(path: string): readonly string[] {
    try {
      return this.files.list(path);
    } catch {
      return [];
    }
  }

  private identityOf(path: string, root: string): string | undefined {
    try {
      return this.files.identityOf(path, root);
    } catch {
      // A folder that may not be entered, or a loop of links: the client says which when the socket was named.
      return undefined;
    }
  }
}
