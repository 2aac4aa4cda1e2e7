/**
 * Sees when the users or groups of the host or of a container change: one of their files is closed after writing, or another is
 * renamed onto it. The lists are read beside the stream, some moments later and once more, as others may still hold the file open.
 * Sees programs start in containers, too: the files of a container can be read from then on.
 */
import { emptyInterest, type Interest, WANT_SUCCESS } from '../capture/interest.ts';
import {
  PPM_EVENT_MAX,
  PPME_SYSCALL_CLOSE_X,
  PPME_SYSCALL_EXECVE_19_X,
  PPME_SYSCALL_EXECVEAT_X,
  PPME_SYSCALL_RENAME_X,
  PPME_SYSCALL_RENAMEAT_X,
  PPME_SYSCALL_RENAMEAT2_X,
} from '../event/event-types.ts';
import { FLAG_DATA } from '../event/flag-tables.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { EventReader } from './inspector.ts';

export interface IdentityListener {
  onExec(fullId: string, tid: number): void;
  /** The lists of this container (the host: '') may have changed; the thread has changed them. */
  onIdentitiesChanged(fullId: string, tid: number): void;
}

/** Index of the new path, by event type. */
const NEW_PATH: ReadonlyMap<number, number> = new Map([
  [PPME_SYSCALL_RENAME_X, 2],
  [PPME_SYSCALL_RENAMEAT_X, 4],
  [PPME_SYSCALL_RENAMEAT2_X, 4],
]);
const EXECS: readonly number[] = [PPME_SYSCALL_EXECVE_19_X, PPME_SYSCALL_EXECVEAT_X];
const FILES: ReadonlySet<string> = new Set(['/etc/passwd', '/etc/group']);
/** Relative paths are taken by their last part: a reading too many costs little. */
const BASE_NAMES: ReadonlySet<string> = new Set(['passwd', 'group']);
const O_WRONLY = new Map(FLAG_DATA.tables['file_flags']).get('O_WRONLY') as number;

/** After a change the lists are read so late, and again. */
const FIRST_READ_MS = 50;
const SECOND_READ_MS = 2000;
/** Containers whose changes are remembered at once. */
const CHANGED_MAX = 1024;

interface Change {
  readonly tid: number;
  readonly sinceMs: number;
  isReadOnce: boolean;
}

export class IdentityWatch implements EventReader {
  readonly eventTypes: Uint8Array;
  readonly interest: Interest;
  readonly isHolding = false;
  /** Changes not followed because too many were. */
  refusedCount: number;
  private readonly listener: IdentityListener;
  private readonly nowMs: () => number;
  private readonly changes: Map<string, Change>;

  constructor(listener: IdentityListener, nowMs: () => number) {
    this.listener = listener;
    this.nowMs = nowMs;
    this.refusedCount = 0;
    this.changes = new Map();
    this.eventTypes = new Uint8Array(PPM_EVENT_MAX);
    this.interest = emptyInterest();
    for (const type of [PPME_SYSCALL_CLOSE_X, ...NEW_PATH.keys(), ...EXECS]) {
      this.eventTypes[type] = 1;
      this.interest[type] = WANT_SUCCESS;
    }
  }

  onEvent(event: InspectedEvent): void {
    const { record, thread, fd } = event;
    if (thread === undefined) return;
    if (record.type === PPME_SYSCALL_CLOSE_X) {
      // Nearly all closes end here.
      if (fd === undefined || (fd.openFlags & O_WRONLY) === 0 || !FILES.has(fd.name)) return;
      this.note(thread.containerId, thread.tid);
      return;
    }
    if (record.number(0) < 0) return;
    const newPath = NEW_PATH.get(record.type);
    if (newPath === undefined) {
      if (thread.containerId !== '') this.listener.onExec(thread.containerId, thread.tid);
    } else if (isIdentityFile(record.text(newPath))) {
      this.note(thread.containerId, thread.tid);
    }
  }

  /** Between events, often. */
  tick(): void {
    if (this.changes.size === 0) return;
    const nowMs = this.nowMs();
    for (const [containerId, change] of this.changes) {
      const ageMs = nowMs - change.sinceMs;
      if (ageMs < (change.isReadOnce ? SECOND_READ_MS : FIRST_READ_MS)) continue;
      if (change.isReadOnce) this.changes.delete(containerId);
      else change.isReadOnce = true;
      this.listener.onIdentitiesChanged(containerId, change.tid);
    }
  }

  private note(containerId: string, tid: number): void {
    const known = this.changes.get(containerId);
    // Another change before the first reading is in that reading.
    if (known !== undefined && !known.isReadOnce) return;
    if (known === undefined && this.changes.size >= CHANGED_MAX) {
      this.refusedCount++;
      return;
    }
    this.changes.set(containerId, { tid, sinceMs: this.nowMs(), isReadOnce: false });
  }
}

function isIdentityFile(path: string): boolean {
  if (path.startsWith('/')) return FILES.has(path);
  return BASE_NAMES.has(path.slice(path.lastIndexOf('/') + 1));
}
