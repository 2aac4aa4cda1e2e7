/** Rows of the thread class. */
import { PPME_PROCINFO_E } from '../event/event-types.ts';
import { FLAG_DATA } from '../event/flag-tables.ts';
import type { Integer } from '../event/u64.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import type { Extractor, FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';
import { shownId } from './proc-id-fields.ts';
import { ofThread, type ThreadValue, UNBOUND } from './proc-shape.ts';

const row = rowsOf('thread');

const BYTES_PER_KB = 1024;

const CAPABILITIES: readonly (readonly [name: string, bit: bigint])[] = Object.entries(
  FLAG_DATA.capabilities,
).map(([name, value]) => [`CAP_${name}`, BigInt(value)]);

/** Names by set: processes hold only a handful of different sets. */
const capabilityTexts = new Map<Integer, string>();
const CAPABILITY_TEXTS_MAX = 4096;

/** Names of the capabilities in a set, separated by spaces. */
function capabilityText(set: Integer): string {
  const known = capabilityTexts.get(set);
  if (known !== undefined) return known;
  const bits = BigInt(set);
  const names: string[] = [];
  for (const [name, bit] of CAPABILITIES) if ((bits & bit) !== 0n) names.push(name);
  const text = names.join(' ');
  if (capabilityTexts.size >= CAPABILITY_TEXTS_MAX) capabilityTexts.clear();
  capabilityTexts.set(set, text);
  return text;
}

function count(name: string, description: string, value: ThreadValue): FieldRow {
  return row(name, 'uint64', 'DEC', description, ofThread(value));
}

/** Memory belongs to the process: only its main thread shows it. */
function ofMain(kb: (thread: ThreadInfo) => number, unitBytes: number): ThreadValue {
  return (thread) => (thread.isMain() ? (kb(thread) * unitBytes) % 2 ** 32 : 0);
}

const cgroups = ofThread(({ cgroups: entries }) => {
  if (entries.length === 0) return undefined;
  let text = '';
  for (const [subsystem, path] of entries) {
    // The reference tells of controllers only.
    if (subsystem !== '') text += `${text === '' ? '' : ' '}${subsystem}=${path}`;
  }
  return text;
});

/**
 * A share of the last second needs two samples of one thread kept by the reader; the reference answers every event
 * by itself, so the first sample's 0 is all there is.
 */
const cpuShare: Extractor = (event) =>
  event.thread !== undefined && event.record.type === PPME_PROCINFO_E ? 0 : undefined;

export const THREAD_FIELDS: readonly FieldRow[] = [
  row(
    'thread.cap_permitted',
    'string',
    'NA',
    'permitted capability names',
    ofThread((thread) => capabilityText(thread.capPermitted)),
  ),
  row(
    'thread.cap_inheritable',
    'string',
    'NA',
    'inheritable capability names',
    ofThread((thread) => capabilityText(thread.capInheritable)),
  ),
  row(
    'thread.cap_effective',
    'string',
    'NA',
    'effective capability names',
    ofThread((thread) => capabilityText(thread.capEffective)),
  ),
  count('thread.pfmajor', 'major page faults', (thread) => thread.pfmajor),
  count('thread.pfminor', 'minor page faults', (thread) => thread.pfminor),
  row('thread.tid', 'int64', 'ID', 'thread id', (event) => shownId(event.record.tid)),
  row(
    'thread.ismain',
    'bool',
    'NA',
    'is the main thread',
    ofThread((thread) => thread.isMain()),
  ),
  row(
    'thread.vtid',
    'int64',
    'ID',
    'thread id inside its pid namespace',
    ofThread((thread) => (thread.vtid === -1 ? undefined : thread.vtid)),
  ),
  row(
    'thread.nametid',
    'string',
    'NA',
    'comm plus tid',
    ofThread((thread, event) => `${thread.comm}${event.record.tid}`),
    { tableOnly: true },
  ),
  row(
    'thread.exectime',
    'reltime',
    'DEC',
    'CPU time of the last scheduling slice (switch events)',
    ({ thread }) => thread?.lastExecTimeNs ?? 0,
  ),
  row(
    'thread.totexectime',
    'reltime',
    'DEC',
    'CPU time since capture start (switch events)',
    ofThread((thread) => thread.totalExecTimeNs),
  ),
  row('thread.cgroups', 'string', 'NA', 'all cgroups as one string', cgroups),
  row('thread.cgroup', 'string', 'NA', 'cgroup path of one subsystem', UNBOUND, {
    argument: 'key required',
    bind: (argument) => {
      const subsystem = argument?.text;
      return ofThread((thread) => thread.cgroups.find(([name]) => name === subsystem)?.[1]);
    },
  }),
  row('thread.cpu', 'double', 'NA', 'CPU percent in the last second (procinfo events)', cpuShare),
  row('thread.cpu.user', 'double', 'NA', 'user CPU percent in the last second (procinfo events)', cpuShare),
  row(
    'thread.cpu.system',
    'double',
    'NA',
    'system CPU percent in the last second (procinfo events)',
    cpuShare,
  ),
  count(
    'thread.vmsize',
    'main thread: process virtual memory kB, else 0',
    ofMain((thread) => thread.vmsizeKb, 1),
  ),
  count(
    'thread.vmrss',
    'main thread: process resident memory kB, else 0',
    ofMain((thread) => thread.vmrssKb, 1),
  ),
  row(
    'thread.vmsize.b',
    'uint64',
    'DEC',
    'thread.vmsize in bytes',
    ofThread(ofMain((thread) => thread.vmsizeKb, BYTES_PER_KB)),
    { tableOnly: true },
  ),
  row(
    'thread.vmrss.b',
    'uint64',
    'DEC',
    'thread.vmrss in bytes',
    ofThread(ofMain((thread) => thread.vmrssKb, BYTES_PER_KB)),
    { tableOnly: true },
  ),
];
