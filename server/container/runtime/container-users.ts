/** Users and groups of containers (and of the node), from the files in their own root. The files are the container's: hostile. */
import { readFile } from 'node:fs/promises';
import { parseGroup, parsePasswd } from '../../event/identity-lists.ts';
import type { GroupRow, UserRow } from '../../state/user-table.ts';
import { IdMap } from './id-map.ts';
import { readRootedFile, rootIdentity } from './rooted-path.ts';

/** Bytes read of each file; what is beyond is not seen. */
const FILE_BYTES_MAX = 1024 * 1024;
/** Users, and groups, taken of one container. */
const ROWS_MAX = 4096;
/** A file system that does not answer holds a thread of the pool each: no more than these. */
const READS_MAX = 2;
/** Reads that wait for their turn; beyond they are refused. */
const WAITING_MAX = 4096;
/** Containers remembered as read; what is beyond may be read more than once. */
const KNOWN_MAX = 65_536;

export interface ContainerUsers {
  readonly users: readonly UserRow[];
  readonly groups: readonly GroupRow[];
}

/** Reads them through a thread of the container (of the node: `fullId` ''). Undefined when its root is not its own (yet). */
export type ReadUsers = (fullId: string, tid: number) => Promise<ContainerUsers | undefined>;

/** `hostRoot`: where the node's root is mounted, '' for '/'. What it returns rejects when the thread is gone, or its files cannot be read. */
export function usersReader(hostRoot: string): ReadUsers {
  return async (fullId, tid) => {
    if (fullId === '') return readUsers(`${hostRoot}/`);
    const root = `${hostRoot}/proc/${tid}/root`;
    // Before the container's first program runs, what prepares it still sees the node's files.
    if ((await rootIdentity(root)) === (await rootIdentity(`${hostRoot}/`))) return undefined;
    return onNode(await readUsers(root), await mapsOf(`${hostRoot}/proc/${tid}`));
  };
}

interface IdMaps {
  readonly uids: IdMap;
  readonly gids: IdMap;
}

async function mapsOf(threadFolder: string): Promise<IdMaps> {
  const read = async (name: string): Promise<IdMap> =>
    new IdMap(await readFile(`${threadFolder}/${name}`, 'latin1').catch(() => ''));
  return { uids: await read('uid_map'), gids: await read('gid_map') };
}

/** The files name ids of the container's user namespace, threads and events have those of the node. */
function onNode({ users, groups }: ContainerUsers, { uids, gids }: IdMaps): ContainerUsers {
  return {
    users: users.flatMap((row) => {
      const uid = uids.outerOf(row.uid);
      return uid === undefined ? [] : [{ ...row, uid, gid: gids.outerOf(row.gid) ?? row.gid }];
    }),
    groups: groups.flatMap((row) => {
      const gid = gids.outerOf(row.gid);
      return gid === undefined ? [] : [{ ...row, gid }];
    }),
  };
}

async function readUsers(root: string): Promise<ContainerUsers> {
  const passwd = await readRootedFile(root, '/etc/passwd', FILE_BYTES_MAX);
  const group = await readRootedFile(root, '/etc/group', FILE_BYTES_MAX);
  return { users: parsePasswd(passwd ?? '', ROWS_MAX), groups: parseGroup(group ?? '', ROWS_MAX) };
}

interface Waiting {
  readonly fullId: string;
  /** The thread named last lives longest. */
  tid: number;
}

export interface UsersListener {
  onUsers(fullId: string, users: ContainerUsers): void;
  onRead(isRead: boolean): void;
}

/** Reads them one after the other, each container once at a time. */
export class UserReads {
  private readonly read: ReadUsers;
  private readonly listener: UsersListener;
  private readonly waiting: Map<string, Waiting>;
  /** Containers read, or being read, until they are forgotten. */
  private readonly known: Set<string>;
  private running: number;
  private isStopped: boolean;

  constructor(read: ReadUsers, listener: UsersListener) {
    this.read = read;
    this.listener = listener;
    this.waiting = new Map();
    this.known = new Set();
    this.running = 0;
    this.isStopped = false;
  }

  /** Containers remembered. */
  get size(): number {
    return this.known.size + this.waiting.size;
  }

  /** A thread was seen in the container: reads its users unless that was done before. */
  first(fullId: string, tid: number): void {
    if (!this.known.has(fullId)) this.again(fullId, tid);
  }

  /** Reads, anew where that was done before. */
  again(fullId: string, tid: number): void {
    if (this.isStopped) return;
    const waiting = this.waiting.get(fullId);
    if (waiting !== undefined) {
      waiting.tid = tid;
      return;
    }
    if (this.waiting.size >= WAITING_MAX) {
      this.listener.onRead(false);
      return;
    }
    this.waiting.set(fullId, { fullId, tid });
    this.next();
  }

  forget(fullId: string): void {
    this.known.delete(fullId);
    this.waiting.delete(fullId);
  }

  stop(): void {
    this.isStopped = true;
    this.waiting.clear();
    this.known.clear();
  }

  private next(): void {
    while (this.running < READS_MAX) {
      const [one] = this.waiting.values();
      if (one === undefined) return;
      this.waiting.delete(one.fullId);
      this.running++;
      void this.run(one).finally(() => {
        this.running--;
        this.next();
      });
    }
  }

  private async run({ fullId, tid }: Waiting): Promise<void> {
    if (this.known.size < KNOWN_MAX) this.known.add(fullId);
    try {
      const users = await this.read(fullId, tid);
      if (this.isStopped) return;
      if (users === undefined) {
        this.known.delete(fullId);
        return;
      }
      this.listener.onRead(true);
      this.listener.onUsers(fullId, users);
    } catch {
      if (this.isStopped) return;
      this.known.delete(fullId);
      this.listener.onRead(false);
    }
  }
}
