/** Command lines and environments as one text. */
import type { StateView } from '../state/os-state.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import { findMain } from './ancestors.ts';

/** Joined lists, by the list: a process keeps its list from exec to exec, and events ask for it again and again. */
const joinedTexts = new WeakMap<readonly string[], string>();

function joined(items: readonly string[]): string {
  if (items.length < 2) return items[0] ?? '';
  let text = joinedTexts.get(items);
  if (text === undefined) {
    text = items.join(' ');
    joinedTexts.set(items, text);
  }
  return text;
}

/** Arguments without argv[0], separated by spaces. */
export function argsText(row: ThreadInfo): string {
  return joined(row.args);
}

/** comm and arguments. */
export function cmdlineText(row: ThreadInfo): string {
  return row.args.length === 0 ? row.comm : `${row.comm} ${joined(row.args)}`;
}

/** argv[0] and arguments; the space between them is there even when there are none. */
export function exelineText(row: ThreadInfo): string {
  return `${row.exe} ${joined(row.args)}`;
}

/** Environment of the row's process. */
export function envOf(state: StateView, row: ThreadInfo): readonly string[] {
  return (findMain(state, row) ?? row).env;
}

/** All variables, `NAME=value`, separated by spaces. */
export function envText(state: StateView, row: ThreadInfo): string {
  return joined(envOf(state, row));
}

/** Value of one variable without spaces around it; '' when it is not set. */
export function envValue(state: StateView, row: ThreadInfo, name: string): string {
  const prefix = `${name}=`;
  for (const item of envOf(state, row)) {
    if (item.length > prefix.length && item.startsWith(prefix)) return trimSpaces(item.slice(prefix.length));
  }
  return '';
}

function trimSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) === 32) start++;
  while (end > start && text.charCodeAt(end - 1) === 32) end--;
  return text.slice(start, end);
}
