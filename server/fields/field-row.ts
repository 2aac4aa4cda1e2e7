/** Shorthand for catalogue rows, so that a class reads as a table. */
import type { PrintFormat } from '../event/event-table.ts';
import type { Extractor, FieldRow, FieldType } from './field.ts';

/** What a row may say beyond its name, type, format and description. */
export type RowOptions = Partial<Omit<FieldRow, 'name' | 'fieldClass' | 'type' | 'format' | 'description'>>;

/** Makes rows of one class whose extractor takes no argument. */
export function rowsOf(fieldClass: string) {
  return (
    name: string,
    type: FieldType,
    format: PrintFormat,
    description: string,
    extract: Extractor,
    options?: RowOptions,
  ): FieldRow => ({
    name,
    fieldClass,
    type,
    argument: 'none',
    isList: false,
    format,
    description,
    bind: () => extract,
    ...options,
  });
}
