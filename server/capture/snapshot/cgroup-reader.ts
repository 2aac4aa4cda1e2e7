/** cgroup memberships of threads as `subsystem=path` items, from /proc/TID/cgroup and, for the second version, the hierarchy. */
import { parseMountInfo } from './mount-table.ts';
import { readText } from './proc-files.ts';

/** Texts and folders remembered; at the limit all are forgotten, as they are cheap to rebuild. */
const ENTRIES_MAX = 4096;

export interface CgroupLine {
  /** Empty for the second version. */
  readonly subsystems: readonly string[];
  readonly path: string;
}

/** Lines `id:subsystem,subsystem:path`. A path may hold colons. */
export function parseCgroup(text: string): CgroupLine[] {
  const lines: CgroupLine[] = [];
  for (const line of text.split('\n')) {
    const first = line.indexOf(':');
    const second = line.indexOf(':', first + 1);
    if (first < 0 || second < 0) continue;
    const names = line.slice(first + 1, second);
    lines.push({
      subsystems: names === '' ? [] : names.split(','),
      path: withoutParents(line.slice(second + 1)),
    });
  }
  return lines;
}

/** Seen from a cgroup namespace, paths outside of it start with `/..`, once for each level of the namespace's own root. */
function withoutParents(path: string): string {
  let rest = path;
  while (rest.startsWith('/..') && (rest.length === 3 || rest[3] === '/')) rest = rest.slice(3);
  return rest === '' ? '/' : rest;
}

export class CgroupReader {
  private readonly hostRoot: string;
  /** Items by the text of the file: nearly all threads share a few. */
  private readonly texts: Map<string, string>;
  /** Controllers by folder of the second version. */
  private readonly controllers: Map<string, readonly string[]>;
  private mount: string | undefined;

  constructor(hostRoot: string) {
    this.hostRoot = hostRoot;
    this.texts = new Map();
    this.controllers = new Map();
    this.mount = undefined;
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

  private lineItems(line: CgroupLine): string[] {
    if (line.subsystems.length > 0) return line.subsystems.map((name) => `${name}=${line.path}`);
    return this.unifiedItems(line.path);
  }

  /** A controller that is off in a folder is governed by the nearest folder above that has it. */
  private unifiedItems(path: string): string[] {
    const found = new Set<string>();
    const items: string[] = [];
    for (let at = path; ; at = at.slice(0, Math.max(1, at.lastIndexOf('/')))) {
      for (const name of this.controllersOf(at)) {
        if (found.has(name)) continue;
        found.add(name);
        items.push(`${name}=${at}`);
      }
      if (at === '/' || !at.startsWith('/')) return items;
    }
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

  /** Through the root of process 1, so that a mount namespace of our own does not matter. */
  private mountPoint(): string {
    if (this.mount === undefined) {
      const init = `${this.hostRoot}/proc/1`;
      const row = parseMountInfo(readText(`${init}/mountinfo`) ?? '').find(
        (mount) => mount.type === 'cgroup2',
      );
      this.mount = `${init}/root${row?.mountPoint ?? '/sys/fs/cgroup'}`;
    }
    return this.mount;
  }
}
