/** What the type of an event says of the values of fields, before the event is read. */
import { EF_WRITES_TO_FD, EVENT_TABLE, type EventInfo } from '../event/event-table.ts';
import {
  PPME_ASYNCEVENT_E,
  PPME_GENERIC_E,
  PPME_GENERIC_X,
  PPME_SYSCALL_CREAT_X,
  PPME_SYSCALL_OPEN_BY_HANDLE_AT_X,
  PPME_SYSCALL_OPEN_X,
  PPME_SYSCALL_OPENAT_2_X,
  PPME_SYSCALL_OPENAT2_X,
} from '../event/event-types.ts';
import { SYSCALL_NAMES } from '../event/flag-tables.ts';
import type { FieldArgument, FieldRow, Scalar } from '../fields/field.ts';
import { findParamIndexes } from '../fields/params/param-index.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';

/** Of a field's value for one event type: absent, nothing, one value, or one of several unless absent. */
export type Knowledge = 'absent' | 'unknown' | readonly Scalar[];

export type TypeKnowledge = (type: number) => Knowledge;

const KNOWN_SYSCALLS: readonly string[] = SYSCALL_NAMES.filter((name) => name !== undefined);

const OPEN_TYPES: ReadonlySet<number> = new Set([
  PPME_SYSCALL_OPEN_X,
  PPME_SYSCALL_OPENAT_2_X,
  PPME_SYSCALL_OPENAT2_X,
  PPME_SYSCALL_OPEN_BY_HANDLE_AT_X,
]);
const MAKING_TYPES: ReadonlySet<number> = new Set([...OPEN_TYPES, PPME_SYSCALL_CREAT_X]);

const IO_CATEGORIES: ReadonlySet<string> = new Set(['IO_READ', 'IO_WRITE', 'IO_OTHER']);
const EITHER_BOOL: Knowledge = [false, true];

/** The parameters that the directory of a relative path may be in, of all calls that have one. */
const DIRECTORY_PARAMS = ['dirfd', 'olddirfd', 'newdirfd', 'linkdirfd', 'olddir', 'newdir'];

/** What is known of a field's value by event type; undefined when nothing is. */
export function knowledgeOf(row: FieldRow, argument: FieldArgument | undefined): TypeKnowledge | undefined {
  switch (row.name) {
    case 'evt.type':
      return (type) => {
        if (type === PPME_ASYNCEVENT_E) return 'unknown';
        return isGeneric(type) ? [...KNOWN_SYSCALLS, nameOf(type)] : [nameOf(type)];
      };
    case 'syscall.type':
      return (type) => {
        if (infoOf(type).source !== 'SYSCALL') return 'absent';
        return isGeneric(type) ? [...KNOWN_SYSCALLS, nameOf(type)] : [nameOf(type)];
      };
    case 'evt.dir':
    case 'evt.is_async':
    case 'evt.type.is':
    case 'evt.is_io':
    case 'evt.is_io_read':
    case 'evt.is_io_write':
    case 'evt.io_dir':
    case 'evt.is_wait':
      return decidedByType(row, argument);
    case 'evt.category':
      return categoryKnowledge(decidedByType(row, argument));
    case 'evt.is_open_read':
    case 'evt.is_open_write':
    case 'evt.is_open_create':
      return (type) => (OPEN_TYPES.has(type) ? EITHER_BOOL : [false]);
    case 'evt.is_open_exec':
      return (type) => (MAKING_TYPES.has(type) ? EITHER_BOOL : [false]);
    case 'evt.is_syslog':
      return (type) => ((infoOf(type).flags & EF_WRITES_TO_FD) === 0 ? [false] : EITHER_BOOL);
    default:
      return presenceOf(row, argument);
  }
}

/** Fields of which the type only says whether they can be there. */
function presenceOf(row: FieldRow, argument: FieldArgument | undefined): TypeKnowledge | undefined {
  switch (row.name) {
    case 'evt.arg':
    case 'evt.rawarg':
      return argument === undefined ? undefined : parameterKnowledge(argument);
    case 'evt.res':
    case 'evt.rawres':
      return unlessAbsent(hasResult);
    case 'evt.buflen':
      return unlessAbsent((info) => IO_CATEGORIES.has(info.category));
    case 'evt.buffer':
      return unlessAbsent((info) => info.params.some((param) => param.name === 'data'));
    case 'evt.asynctype':
      return unlessAbsent((info) => info.source === 'METAEVENT');
    case 'evt.abspath':
      return unlessAbsent(
        (info) =>
          info.id === PPME_SYSCALL_OPEN_BY_HANDLE_AT_X ||
          info.params.some((param) => DIRECTORY_PARAMS.includes(param.name)),
      );
    default:
      return undefined;
  }
}

/** A parameter that the event type does not have is absent. */
function parameterKnowledge({ text, index }: FieldArgument): TypeKnowledge | undefined {
  if (index !== undefined) return unlessAbsent((info) => info.params.length > index);
  const indexes = findParamIndexes(text);
  return indexes === undefined ? undefined : unlessAbsent((info) => (indexes[info.id] as number) >= 0);
}

function unlessAbsent(isThere: (info: EventInfo) => boolean): TypeKnowledge {
  return (type) => (isThere(infoOf(type)) ? 'unknown' : 'absent');
}

/** The first parameter of a system call's exit event, but for generic ones. */
function hasResult(info: EventInfo): boolean {
  return info.source === 'SYSCALL' && !info.isEnter && info.params.length > 0 && info.id !== PPME_GENERIC_X;
}

/** For fields that read nothing but the type: their own extractor is asked, with an event that has nothing else. */
function decidedByType(row: FieldRow, argument: FieldArgument | undefined): TypeKnowledge {
  const extract = row.bind(argument);
  return (type) => {
    const value = extract({ record: { type, info: infoOf(type) } } as InspectedEvent);
    return value === undefined ? 'absent' : [value as Scalar];
  };
}

/** The category of data moved through an fd is the fd's. */
function categoryKnowledge(ofOthers: TypeKnowledge): TypeKnowledge {
  return (type) =>
    IO_CATEGORIES.has(infoOf(type).category) ? ['file', 'net', 'ipc', 'unknown'] : ofOthers(type);
}

function isGeneric(type: number): boolean {
  return type === PPME_GENERIC_E || type === PPME_GENERIC_X;
}

function nameOf(type: number): string {
  return infoOf(type).name;
}

function infoOf(type: number): EventInfo {
  return EVENT_TABLE[type] as EventInfo;
}
