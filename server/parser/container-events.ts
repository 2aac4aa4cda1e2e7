/**
 * Containers as captures hold them: the JSON of container events, from the old meta event or an async event. The other async
 * events that change state carry pods, and what a recording saw change without an event.
 */
import { type JsonObject, parseJson } from '../container/container-json.ts';
import { findStored, shortIdOf, storeContainer } from '../container/container-rows.ts';
import { PPME_ASYNCEVENT_E, PPME_CONTAINER_JSON_2_E } from '../event/event-types.ts';
import { parseSupplement, STATE_CHANGE_EVENT } from '../event/supplement-text.ts';
import { CATEGORY_NONE, categoryOf, hasProbes } from '../state/container-category.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { OsState } from '../state/os-state.ts';
import type { HandlerRow, ParserContext } from './parser-context.ts';
import { POD_EVENT, POD_REMOVED_EVENT, parsePod, parsePodRemoved } from './pod-events.ts';
import { applyChangedRows } from './state-supplement.ts';

export const CONTAINER_HANDLERS: readonly HandlerRow[] = [
  [PPME_CONTAINER_JSON_2_E, parseContainer],
  [PPME_ASYNCEVENT_E, parseAsync],
];

function parseContainer(context: ParserContext, event: InspectedEvent): void {
  const json = parseJson(event.record.text(0));
  if (json === undefined) context.counters.containerJsonInvalid++;
  else store(context, json);
}

function parseAsync(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  const name = record.text(1);
  if (name === STATE_CHANGE_EVENT) parseStateChange(context, event);
  if (name === POD_EVENT) parsePod(context, record.text(2));
  if (name === POD_REMOVED_EVENT) parsePodRemoved(context, record.text(2));
  if (name !== 'container' && name !== 'container_removed') return;
  const json = parseJson(record.text(2));
  if (json === undefined) context.counters.containerJsonInvalid++;
  else if (name === 'container') store(context, json);
  else context.removeContainer = findStored(context.state.containers, json);
}

/** What was known before by less of the metadata follows: its users, and the threads that are in it or serve it. */
function store(context: ParserContext, json: JsonObject): void {
  const { state, options } = context;
  const { containers } = state;
  const generation = containers.cgroupGeneration;
  const key = storeContainer(containers, json);
  if (key === undefined) return;
  const shortId = shortIdOf(key);
  if (containers.find(shortId) === undefined) {
    state.users.moveContainer(shortId, key);
    state.groups.moveContainer(shortId, key);
  }
  if (containers.cgroupGeneration !== generation) context.cgroups.rematch();
  findProbes(state, key);
  options.onContainerStored?.(key);
}

/** Probes that ran before it was known what they are. */
function findProbes(state: OsState, key: string): void {
  const row = state.containers.find(key);
  if (row === undefined || !hasProbes(row)) return;
  for (const thread of state.threads.values()) {
    if (thread.containerId !== key || thread.category !== CATEGORY_NONE) continue;
    const category = categoryOf(state, thread);
    if (category === CATEGORY_NONE) continue;
    state.threads.touch(thread);
    thread.category = category;
  }
}

function parseStateChange(context: ParserContext, event: InspectedEvent): void {
  try {
    applyChangedRows(context.state, parseSupplement(event.record.text(2)));
  } catch (error) {
    // From outside: a text that is no JSON changes nothing.
    if (!(error instanceof SyntaxError)) throw error;
  }
}
