/** How many events of containers carried what the runtime says of them, judged by what the load knows and nothing else. */
import type { ContainerStream, ReceivedEvent } from './container-stream.ts';
import { LABEL, type ShortLived } from './short-lived.ts';

export const HIT_FIELDS = [
  'evt.num',
  'evt.type',
  'proc.name',
  'proc.args',
  'container.id',
  'container.full_id',
  'container.name',
  'container.image',
  `container.label[${LABEL}]`,
] as const;

/**
 * Events of containers by the cgroup alone, which is known at once: no filter on what is to be proven. All types but those that
 * programs make by the million, as every program of the machine would have to be captured for them.
 */
const HIT_TYPES = [
  ...[
    'execve',
    'execveat',
    'clone',
    'clone3',
    'fork',
    'vfork',
    'procexit',
    'prctl',
    'capset',
    'setns',
    'unshare',
  ],
  ...[
    'open',
    'openat',
    'openat2',
    'close',
    'dup',
    'dup2',
    'dup3',
    'pipe',
    'pipe2',
    'fchdir',
    'chdir',
    'getcwd',
  ],
  ...[
    'mount',
    'umount2',
    'mkdirat',
    'unlinkat',
    'fchmodat',
    'getdents64',
    'setuid',
    'setgid',
    'setresuid',
    'kill',
  ],
  ...[
    'socket',
    'connect',
    'bind',
    'accept4',
    'sendto',
    'recvmsg',
    'seccomp',
    'chroot',
    'pivot_root',
    'setrlimit',
  ],
];
export const HIT_CONDITION = `evt.type in (${HIT_TYPES.join(', ')}) and container.id != host`;

export interface HitReport {
  readonly containerCount: number;
  /** Containers whose first program's execve was received at all. */
  readonly firstExecCount: number;
  /** Of them, those whose event had everything. */
  readonly firstExecHitCount: number;
  readonly eventCount: number;
  readonly hitCount: number;
  /** Had id, name, image and label when they were sent already: in delivery COMPLETE all that hit. */
  readonly hitAsSentCount: number;
  /** Marked incomplete when they were sent. */
  readonly incompleteCount: number;
  /** What was wrong with the first few that missed. */
  readonly misses: readonly string[];
}

const MISSES_SHOWN = 10;

export function hitReport(
  stream: ContainerStream,
  containers: readonly ShortLived[],
  image: RegExp,
): HitReport {
  const byId = new Map(containers.map((container) => [container.id, container]));
  const firstExecs = new Set<string>();
  const misses: string[] = [];
  let eventCount = 0;
  let hitCount = 0;
  let hitAsSentCount = 0;
  let incompleteCount = 0;
  let firstExecHitCount = 0;
  for (const event of stream.events) {
    const container = byId.get(String(stream.value(event, 'container.full_id')));
    if (container === undefined) continue;
    eventCount++;
    if (event.isIncomplete) incompleteCount++;
    const fault = faultOf(stream, event, container, image);
    if (
      !event.isIncomplete ? fault === undefined : faultOf(stream, event, container, image, true) === undefined
    )
      hitAsSentCount++;
    if (fault === undefined) hitCount++;
    else if (misses.length < MISSES_SHOWN) misses.push(fault);
    const isFirst = isFirstExec(stream, event, container);
    if (!isFirst || firstExecs.has(container.id)) continue;
    firstExecs.add(container.id);
    if (fault === undefined) firstExecHitCount++;
  }
  return {
    containerCount: containers.length,
    firstExecCount: firstExecs.size,
    firstExecHitCount,
    eventCount,
    hitCount,
    hitAsSentCount,
    incompleteCount,
    misses,
  };
}

/** The execve of the program that the container was started for. */
export function isFirstExec(stream: ContainerStream, event: ReceivedEvent, { mark }: ShortLived): boolean {
  return (
    stream.value(event, 'evt.type') === 'execve' &&
    String(stream.value(event, 'proc.args')).includes(`${mark} ${mark}`)
  );
}

function faultOf(
  stream: ContainerStream,
  event: ReceivedEvent,
  container: ShortLived,
  image: RegExp,
  isAsSent = false,
): string | undefined {
  const found = {
    id: stream.value(event, 'container.id', isAsSent),
    name: stream.value(event, 'container.name', isAsSent),
    image: stream.value(event, 'container.image', isAsSent),
    label: stream.value(event, `container.label[${LABEL}]`, isAsSent),
  };
  const isId = found.id === container.id.slice(0, 12);
  if (
    isId &&
    found.name === container.name &&
    image.test(String(found.image)) &&
    found.label === container.label
  )
    return undefined;
  const what = `${stream.value(event, 'evt.type')} of ${stream.value(event, 'proc.name')}`;
  return `#${stream.value(event, 'evt.num')} ${what} in ${container.name}: ${JSON.stringify(found)}`;
}
