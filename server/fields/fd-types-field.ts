/** `fd.types`: the kinds of all fds the process has open, or of one of them. */
import { FD_UNKNOWN } from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { fdWord } from './fd-kinds.ts';
import { concernsFd } from './fd-of-event.ts';
import { type Extractor, type FieldArgument, FieldError, type FieldRow } from './field.ts';
import { rowsOf } from './field-row.ts';

/** Every kind once; absent when the process has no fd open. */
function allTypes(event: InspectedEvent): readonly string[] | undefined {
  const { thread, state } = event;
  if (thread === undefined || !concernsFd(event)) return undefined;
  const words: string[] = [];
  for (const number of state.fdNumbers(thread.fds)) {
    const word = fdWord(state.findFd(thread.fds, number)?.type ?? FD_UNKNOWN);
    if (!words.includes(word)) words.push(word);
  }
  return words.length === 0 ? undefined : words;
}

function typeOf(number: number): Extractor {
  return (event) => {
    const { thread } = event;
    if (thread === undefined || !concernsFd(event)) return undefined;
    const fd = event.state.findFd(thread.fds, number);
    return fd === undefined ? undefined : [fdWord(fd.type)];
  };
}

function bindTypes(argument: FieldArgument | undefined): Extractor {
  if (argument === undefined) return allTypes;
  if (argument.index === undefined || argument.index < 0)
    throw new FieldError('fd.types takes an fd number', 0);
  return typeOf(argument.index);
}

export const FD_TYPES_FIELD: FieldRow = rowsOf('fd')(
  'fd.types',
  'string',
  'DEC',
  'kinds of all fds used by the event; index picks an fd',
  allTypes,
  { argument: 'index optional', isList: true, noRhs: true, bind: bindTypes },
);
