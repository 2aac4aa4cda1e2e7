/**
 * What a process of a container is there for: part of the container itself, or a probe that its runtime or kubelet starts in it from
 * outside to see whether it is well. Children are what their parent is.
 */
import type { ContainerRow, HealthProbe } from './container-table.ts';
import type { StateView } from './os-state.ts';
import type { ThreadInfo } from './thread-info.ts';

/** Not told: on the host, or entered from outside for something else. */
export const CATEGORY_NONE = 0;
/** Descends from the container's first process. */
export const CATEGORY_CONTAINER = 1;
export const CATEGORY_HEALTHCHECK = 2;
export const CATEGORY_LIVENESS_PROBE = 3;
export const CATEGORY_READINESS_PROBE = 4;

/** Ancestors looked at; a longer line says nothing. */
const ANCESTORS_MAX = 64;

/** The state it is read from: the tables, or a view of them. */
export type CategoryView = Pick<StateView, 'findThread' | 'findContainer'>;

/** As the row says it, else as its ancestors in the same container and the probes known by now make it. */
export function categoryOf(view: CategoryView, thread: ThreadInfo): number {
  const { containerId } = thread;
  if (containerId === '') return CATEGORY_NONE;
  if (thread.category !== CATEGORY_NONE) return thread.category;
  let top = mainOf(view, thread);
  for (let i = 0; i < ANCESTORS_MAX; i++) {
    if (top.category !== CATEGORY_NONE) return top.category;
    if (top.vpid === 1) return CATEGORY_CONTAINER;
    const parent = view.findThread(top.ptid);
    // Whoever has no parent in the container was started into it from outside.
    if (parent === undefined || parent.containerId !== containerId) break;
    top = mainOf(view, parent);
  }
  const container = view.findContainer(containerId);
  return container === undefined ? CATEGORY_NONE : probeCategory(container, top);
}

export function hasProbes({ healthcheck, livenessProbe, readinessProbe }: ContainerRow): boolean {
  return healthcheck !== undefined || livenessProbe !== undefined || readinessProbe !== undefined;
}

function probeCategory(container: ContainerRow, thread: ThreadInfo): number {
  if (runs(thread, container.healthcheck)) return CATEGORY_HEALTHCHECK;
  if (runs(thread, container.livenessProbe)) return CATEGORY_LIVENESS_PROBE;
  return runs(thread, container.readinessProbe) ? CATEGORY_READINESS_PROBE : CATEGORY_NONE;
}

function runs({ exe, args }: ThreadInfo, probe: HealthProbe | undefined): boolean {
  if (probe === undefined || exe !== probe.exe || args.length !== probe.args.length) return false;
  return probe.args.every((arg, i) => arg === args[i]);
}

function mainOf(view: CategoryView, thread: ThreadInfo): ThreadInfo {
  return thread.isMain() ? thread : (view.findThread(thread.pid) ?? thread);
}
