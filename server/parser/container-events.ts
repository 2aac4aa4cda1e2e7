/**
 * Containers as captures hold them: the JSON of container events, from the old meta event or an async event. The other async
 * event that changes state carries what a recording saw change without an event.
 */
import { type JsonObject, parseJson } from '../container/container-json.ts';
import { forgetContainer, storeContainer } from '../container/container-rows.ts';
import { PPME_ASYNCEVENT_E, PPME_CONTAINER_JSON_2_E } from '../event/event-types.ts';
import { parseSupplement, STATE_CHANGE_EVENT } from '../event/supplement-text.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { HandlerRow, ParserContext } from './parser-context.ts';
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
  if (name !== 'container' && name !== 'container_removed') return;
  const json = parseJson(record.text(2));
  if (json === undefined) context.counters.containerJsonInvalid++;
  else if (name === 'container') store(context, json);
  else forget(context, json);
}

function store({ state, options }: ParserContext, json: JsonObject): void {
  const key = storeContainer(state.containers, json);
  if (key !== undefined) options.onContainerStored?.(key);
}

/** Its users and groups go with it. */
function forget({ state }: ParserContext, json: JsonObject): void {
  const key = forgetContainer(state.containers, json);
  if (key === undefined) return;
  state.users.deleteContainer(key);
  state.groups.deleteContainer(key);
}

function parseStateChange(context: ParserContext, event: InspectedEvent): void {
  try {
    applyChangedRows(context.state, parseSupplement(event.record.text(2)));
  } catch (error) {
    // From outside: a text that is no JSON changes nothing.
    if (!(error instanceof SyntaxError)) throw error;
  }
}
