/** cgroup memberships of threads as `subsystem=path` items, from /proc/TID/cgroup and, for the second version, the hierarchy. */
import { statSync } from 'node:fs';
import { parseMountInfo } from './mount-table.ts';
import { hostPath, listFolders, readLink, readText } from './proc-files.ts';

/** Texts and folders remembered; at the limit all are forgotten, as they are cheap to rebuild. */
const ENTRIES_MAX = 4096;
/** Folders of the hierarchy looked at for our own. */
const FOLDERS_MAX = 20_000;
/** Inode of the first cgroup namespace, the node's own. */
const FIRST_CGROUP_NAMESPACE = 'cgroup:[4026531835]';

export interface CgroupLine {
  /** Empty for the second version. */
  readonly subsystems: readonly string[];
  readonly path: string;
}

/** Lines `id:subsystem,subsystem:path`. A path may hold colons, and starts with `/..` when it is outside of our own namespace. */
export function parseCgroup(text: string): CgroupLine[] {
  const lines: CgroupLine[] = [];
  for (const line of text.split('\n')) {
    const first = line.indexOf(':');
    const second = line.indexOf(':', first + 1);
    if (first < 0 || second < 0) continue;
    const names = line.slice(first + 1, second);
    lines.push({
      subsystems: names === '' ? [] : names.split(','),
      path: line.slice(second + 1),
    });
  }
  return lines;
}

/**
 * Seen from a cgroup namespace, paths outside of it start with `/..`, once for each level up from the namespace's own root.
 * `ownRoot` is that root's true path, '' when it is not known: then what is common with it is missing at the front.
 */
export function absoluteCgroup(path: string, ownRoot: string): string {
  let rest = path;
  let levels = 0;
  while (rest.startsWith('/..') && (rest.length === 3 || rest[3] === '/')) {
    rest = rest.slice(3);
    levels++;
  }
  const own = ownRoot.split('/').filter((part) => part !== '');
  const base = own.slice(0, Math.max(0, own.length - levels));
  const absolute = [...base, ...rest.split('/').filter((part) => part !== '')];
  return `/${absolute.join('/')}`;
}

export class CgroupReader {
  private readonly hostRoot: string;
  /** Items by the text of the file: nearly all threads share a few. */
  private readonly texts: Map<string, string>;
  /** Controllers by folder of the second version. */
  private readonly controllers: Map<string, readonly string[]>;
  private mount: string | undefined;
  private own: string | undefined;
  private isNamespaced: boolean | undefined;

  constructor(hostRoot: string) {
    this.hostRoot = hostRoot;
    this.texts = new Map();
    this.controllers = new Map();
    this.mount = undefined;
    this.own = undefined;
    this.isNamespaced = undefined;
  }

  /** NUL-ended items of the thread whose folder in /proc is `procDir`; '' when it is gone. */
  read(procDir: string): string {
    return this.itemsOf(readText(`${procDir}/cgroup`, 16_384) ?? '');
  }

  itemsOf(text: string): string {
    let items = this.texts.get(text);
    if (items !== undefined) return items;
    items = parseCgroup(text)
      .flatMap((line) => this.lineItems(line))
      .map((item) => `${item}\0`)
      .join('');
    if (this.texts.size >= ENTRIES_MAX) this.texts.clear();
    this.texts.set(text, items);
    return items;
  }

  private lineItems({ subsystems, path }: CgroupLine): string[] {
    if (subsystems.length > 0) {
      // Where our own root is in the hierarchies of the first version is not looked for.
      const absolute = path.startsWith('/..') ? absoluteCgroup(path, '') : path;
      return subsystems.map((name) => `${name}=${absolute}`);
    }
    return this.unifiedItems(this.needsOwnRoot(path) ? absoluteCgroup(path, this.ownRoot()) : path);
  }

  /** Inside of a namespace every path is relative to its root, not only those that show it. */
  private needsOwnRoot(path: string): boolean {
    return path.startsWith('/..') || this.hasOwnNamespace();
  }

  private hasOwnNamespace(): boolean {
    this.isNamespaced ??= readLink('/proc/self/ns/cgroup') !== FIRST_CGROUP_NAMESPACE;
    return this.isNamespaced;
  }

  /** The folder of the hierarchy that we see as its root, by its inode; a bounded search, once. */
  private ownRoot(): string {
    if (this.own === undefined) {
      const inode = inodeOf('/sys/fs/cgroup');
      this.own = inode === undefined ? '' : (findFolder(this.mountPoint(), inode) ?? '');
    }
    return this.own;
  }

  /** The folder itself, without a name, when it has no controllers. A controller that is off in a folder is governed by the nearest folder above that has it. */
  private unifiedItems(path: string): string[] {
    const found = new Set<string>();
    const items: string[] = [];
    for (let at = path; ; at = at.slice(0, Math.max(1, at.lastIndexOf('/')))) {
      for (const name of this.controllersOf(at)) {
        if (found.has(name)) continue;
        found.add(name);
        items.push(`${name}=${at}`);
      }
      if (at === '/' || !at.startsWith('/')) break;
    }
    // Where no controller tells it: a container may be known by it alone.
    if (path !== '/' && !items.some((item) => item.endsWith(`=${path}`))) items.push(`=${path}`);
    return items;
  }

  private controllersOf(path: string): readonly string[] {
    let names = this.controllers.get(path);
    if (names !== undefined) return names;
    const text = readText(`${this.mountPoint()}${path === '/' ? '' : path}/cgroup.controllers`, 4096) ?? '';
    names = text.split(/\s+/).filter((name) => name !== '');
    if (this.controllers.size >= ENTRIES_MAX) this.controllers.clear();
    this.controllers.set(path, names);
    return names;
  }

  private mountPoint(): string {
    if (this.mount === undefined) {
      const { hostRoot } = this;
      const text = readText(`${hostRoot}/proc/1/mountinfo`) ?? readText('/proc/self/mountinfo') ?? '';
      const row = parseMountInfo(text).find((mount) => mount.type === 'cgroup2');
      const path = row?.mountPoint ?? '/sys/fs/cgroup';
      this.mount = hostPath(hostRoot, path) ?? `${hostRoot}${path}`;
    }
    return this.mount;
  }
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

/** Path below `root` of the folder with this inode, breadth first: our own is near the top. */
function findFolder(root: string, inode: bigint): string | undefined {
  const queue = [''];
  for (let i = 0; i < queue.length && i < FOLDERS_MAX; i++) {
    const path = queue[i] as string;
    if (inodeOf(`${root}${path}`) === inode) return path;
    for (const name of listFolders(`${root}${path}`)) queue.push(`${path}/${name}`);
  }
  return undefined;
}
