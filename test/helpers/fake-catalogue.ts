/** A small catalogue whose values a test sets itself, for conditions without a capture. */

import { EventRecord } from '../../server/event/event-record.ts';
import { mustEventInfo } from '../../server/event/event-table.ts';
import { PPME_SYSCALL_READ_X } from '../../server/event/event-types.ts';
import {
  type FieldArgument,
  FieldError,
  type FieldRow,
  type FieldType,
  type FieldValue,
} from '../../server/fields/field.ts';
import type { FilterCatalogue } from '../../server/filter/compile-context.ts';
import { InspectedEvent } from '../../server/state/inspected-event.ts';
import { OsState } from '../../server/state/os-state.ts';

/** Fields by name with what is special about them. */
const ROWS: Readonly<Record<string, Partial<FieldRow> & { readonly type: FieldType }>> = {
  'proc.name': { type: 'string' },
  'proc.pname': { type: 'string' },
  'proc.env': { type: 'string', argument: 'key optional' },
  'proc.aname': { type: 'string', noRhs: true, noTransformer: true },
  'proc.pid': { type: 'int64' },
  'proc.ppid': { type: 'int64' },
  'user.uid': { type: 'uint32' },
  'evt.size': { type: 'uint64' },
  'thread.cpu': { type: 'double' },
  'proc.is_exe': { type: 'bool' },
  'fd.cip': { type: 'ipaddr' },
  'fd.sip': { type: 'ipaddr' },
  'fd.ip': { type: 'ipaddr', filterOnly: true, noRhs: true, noTransformer: true },
  'fd.net': { type: 'ipnet', filterOnly: true, noRhs: true, noTransformer: true },
  'fd.sport': { type: 'port' },
  'fd.port': { type: 'port', filterOnly: true, noRhs: true, noTransformer: true },
  'evt.buffer': { type: 'bytes' },
  'evt.raw': { type: 'dynamic', noRhs: true, noTransformer: true },
  'fd.types': { type: 'string', isList: true },
  'fd.names': { type: 'string', isList: true },
  'fd.sizes': { type: 'uint64', isList: true },
  'fd.odd': { type: 'int32', isList: true },
  'old.name': { type: 'string', deprecated: true },
  'print.only': { type: 'string', printOnly: true },
};

export const FAKE_FIELDS: readonly string[] = Object.keys(ROWS);

/** Values by field as written, argument included; those left out are absent. */
export type FakeValues = Readonly<Record<string, FieldValue>>;

export class FakeCatalogue implements FilterCatalogue {
  values: FakeValues = {};
  /** How often each field was read. */
  readonly reads: Map<string, number> = new Map();
  readonly event: InspectedEvent;

  constructor() {
    this.event = new InspectedEvent(new EventRecord(), new OsState());
  }

  /** The event, of a type (any that has a payload unless given) and with values. */
  show(values: FakeValues, type: number = PPME_SYSCALL_READ_X): InspectedEvent {
    this.values = values;
    this.event.record.type = type;
    this.event.record.info = mustEventInfo(type);
    return this.event;
  }

  parseFieldReference(text: string): { row: FieldRow; argument: FieldArgument | undefined } {
    const [, name = '', written] = /^([^[]*)(?:\["(.*)"\])?$/s.exec(text) ?? [];
    const given = Object.hasOwn(ROWS, name) ? ROWS[name] : undefined;
    if (given === undefined) throw new FieldError(`unknown field '${name}'`, 0, ['proc.name'], true);
    if (written !== undefined && given.argument === undefined) {
      throw new FieldError(`field '${name}' takes no argument`, name.length);
    }
    const argument = written?.replace(/\\(.)/g, '$1');
    const row = this.row(name, given);
    return { row, argument: argument === undefined ? undefined : { text: argument, index: undefined } };
  }

  findField(name: string): FieldRow | undefined {
    const given = Object.hasOwn(ROWS, name) ? ROWS[name] : undefined;
    return given === undefined ? undefined : this.row(name, given);
  }

  private row(name: string, given: Partial<FieldRow> & { readonly type: FieldType }): FieldRow {
    return {
      name,
      fieldClass: name.slice(0, name.indexOf('.')),
      argument: 'none',
      isList: false,
      format: 'DEC',
      description: '',
      bind: (argument) => {
        const key = argument === undefined ? name : `${name}[${argument.text}]`;
        return () => {
          this.reads.set(key, (this.reads.get(key) ?? 0) + 1);
          return this.values[key];
        };
      },
      ...given,
    };
  }
}
