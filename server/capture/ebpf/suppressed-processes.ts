/** Processes that run already and are not to be captured: by pid or by name, with everything they have started. */
import { listNumbers, readText } from '../snapshot/proc-files.ts';
import { parseStat } from '../snapshot/proc-text.ts';

/** A process may fork while the list is read: it is read again until nothing new is found, but not for ever. */
const PASSES_MAX = 5;
/** The kernel keeps 15 bytes of a name. */
const COMM_CHARS_MAX = 15;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly comm: string;
}

/**
 * Calls `suppress` once for each of them. Whoever calls has attached the probe with `pids` and `comms` in force: what they start
 * from then on the probe finds itself.
 */
export function suppressRunning(
  hostRoot: string,
  pids: readonly number[],
  comms: readonly string[],
  suppress: (pid: number) => void,
): void {
  if (pids.length + comms.length === 0) return;
  const names = new Set(comms.map((comm) => comm.slice(0, COMM_CHARS_MAX)));
  const done = new Set<number>();
  const add = (pid: number): void => {
    if (done.has(pid)) return;
    done.add(pid);
    suppress(pid);
  };
  for (const pid of pids) add(pid);
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const before = done.size;
    const processes = runningProcesses(hostRoot);
    for (const { pid, comm } of processes) {
      if (names.has(comm)) add(pid);
    }
    addDescendants(processes, done, add);
    if (done.size === before && pass > 0) return;
  }
}

function addDescendants(processes: readonly Process[], done: Set<number>, add: (pid: number) => void): void {
  const children = Map.groupBy(processes, (process) => process.parent);
  const waiting = [...done];
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    for (const { pid } of children.get(parent) ?? []) {
      if (done.has(pid)) continue;
      add(pid);
      waiting.push(pid);
    }
  }
}

function runningProcesses(hostRoot: string): Process[] {
  const processes: Process[] = [];
  for (const pid of listNumbers(`${hostRoot}/proc`) ?? []) {
    const text = readText(`${hostRoot}/proc/${pid}/stat`, 4096);
    const stat = text === undefined ? undefined : parseStat(text);
    if (stat !== undefined) processes.push({ pid, parent: stat.ppid, comm: stat.comm });
  }
  return processes;
}
