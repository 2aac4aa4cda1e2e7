/** Containers as captures hold them: the JSON of container events, from the old meta event or an async event. */
import { parseJson } from '../container/container-json.ts';
import { forgetContainer, storeContainer } from '../container/container-rows.ts';
import { PPME_ASYNCEVENT_E, PPME_CONTAINER_JSON_2_E } from '../event/event-types.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import type { HandlerRow, ParserContext } from './parser-context.ts';

export const CONTAINER_HANDLERS: readonly HandlerRow[] = [
  [PPME_CONTAINER_JSON_2_E, parseContainer],
  [PPME_ASYNCEVENT_E, parseAsync],
];

function parseContainer(context: ParserContext, event: InspectedEvent): void {
  const json = parseJson(event.record.text(0));
  if (json === undefined) context.counters.containerJsonInvalid++;
  else storeContainer(context.state.containers, json);
}

function parseAsync(context: ParserContext, event: InspectedEvent): void {
  const { record } = event;
  const name = record.text(1);
  if (name !== 'container' && name !== 'container_removed') return;
  const json = parseJson(record.text(2));
  if (json === undefined) context.counters.containerJsonInvalid++;
  else if (name === 'container') storeContainer(context.state.containers, json);
  else forgetContainer(context.state.containers, json);
}
