/** Shapes that rows of the proc class share: a text of the process, of its parent, of its leaders, of its ancestors. */

import type { InspectedEvent } from '../state/inspected-event.ts';
import type { StateView } from '../state/os-state.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import {
  findAncestor,
  findLeader,
  findMain,
  findParent,
  joinAncestors,
  type LeaderId,
  visitAncestors,
} from './ancestors.ts';
import type { Extractor, FieldArgument, FieldRow, FieldValue, Scalar } from './field.ts';

/** Value of a field of a thread. */
export type ThreadValue = (row: ThreadInfo, event: InspectedEvent) => FieldValue;

/** Text of a thread, for fields that exist for relatives too. */
export type ThreadText = (row: ThreadInfo, state: StateView) => string;

/** Of the thread that made the event; absent when it is unknown. */
export function ofThread(value: ThreadValue): Extractor {
  return (event) => (event.thread === undefined ? undefined : value(event.thread, event));
}

/** Of the thread's parent; absent when either is unknown. */
export function ofParent(value: ThreadValue): Extractor {
  return (event) => {
    const { thread } = event;
    if (thread === undefined) return undefined;
    const parent = findParent(event.state, thread);
    return parent === undefined ? undefined : value(parent, event);
  };
}

/** Of the leader of the thread's session or process group; '' when there is none. */
export function ofLeader(idName: LeaderId, text: (leader: ThreadInfo) => string): Extractor {
  return (event) => {
    const { thread } = event;
    if (thread === undefined) return undefined;
    const leader = findLeader(event.state, thread, idName);
    return leader === undefined ? '' : text(leader);
  };
}

/** Of one ancestor by level, or of all of them in one text. */
export function bindAncestors(text: ThreadText): FieldRow['bind'] {
  return (argument: FieldArgument | undefined) => {
    const level = argument?.index;
    if (level === undefined) {
      return ({ thread, state }) =>
        thread === undefined ? undefined : joinAncestors(state, thread, (row) => text(row, state));
    }
    return ({ thread, state }) => {
      if (thread === undefined) return undefined;
      const ancestor = findAncestor(state, thread, level);
      return ancestor === undefined ? undefined : text(ancestor, state);
    };
  };
}

/** For conditions: without a level each ancestor's value, parent first, of which any may match; else as `bind`. */
export function bindAnyAncestor(
  value: (row: ThreadInfo, state: StateView) => Scalar,
  bind: FieldRow['bind'],
): FieldRow['bind'] {
  return (argument: FieldArgument | undefined) => {
    if (argument !== undefined) return bind(argument);
    return ({ thread, state }) => {
      const main = thread === undefined ? undefined : findMain(state, thread);
      if (main === undefined) return undefined;
      const values: Scalar[] = [];
      visitAncestors(state, main, (ancestor) => {
        values.push(value(ancestor, state));
        return true;
      });
      return values;
    };
  };
}

/** Options of rows about ancestors: they take a level, and neither stand on the right of a comparison nor in a transformer. */
export const ANCESTOR_OPTIONS = { argument: 'index optional', noRhs: true, noTransformer: true } as const;

/** An extractor for rows that always have `bind`. */
export const UNBOUND: Extractor = () => undefined;
