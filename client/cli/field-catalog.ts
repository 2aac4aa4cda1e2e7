/** The field catalogue as text, JSON lines and markdown. */
import type { Colors } from 'picocolors/types.js';
import { type Field, FieldArgument } from '../../proto/gen/strata/v1/catalog_service.ts';
import { FieldType } from '../../proto/gen/strata/v1/value.ts';
import { printable } from './error-report.ts';
import { enumName } from './message-json.ts';

/** Width of the name column; longer names push their description to the right. */
const NAME_WIDTH = 30;

/** Type as people write it: `string`, `list of ipaddr`. */
export function typeName(field: Field): string {
  const type = enumName(FieldType, field.type);
  return field.isList ? `list of ${type}` : type;
}

/** Argument as people write it: ``, `index required`, `index or key optional`. */
export function argumentName(field: Field): string {
  if (field.argument === FieldArgument.UNSPECIFIED) return '';
  return enumName(FieldArgument, field.argument).replaceAll('_', ' ');
}

/** What else there is to know, as sentences. */
function remarks(field: Field): string[] {
  return [
    field.isDeprecated ? 'Deprecated.' : '',
    field.isFilterOnly ? 'For conditions only.' : '',
    field.isPrintOnly ? 'For output only.' : '',
    field.unavailableReason === undefined ? '' : `Always absent: ${field.unavailableReason}.`,
  ].filter((text) => text !== '');
}

function describe(field: Field): string {
  const text = field.description.endsWith('.') ? field.description : `${field.description}.`;
  return [text, ...remarks(field)].join(' ');
}

/** Fields by class, in the order of the catalogue. */
function byClass(fields: readonly Field[]): Map<string, Field[]> {
  const classes = new Map<string, Field[]>();
  for (const field of fields) {
    const members = classes.get(field.fieldClass);
    if (members === undefined) classes.set(field.fieldClass, [field]);
    else members.push(field);
  }
  return classes;
}

/** A block per class: `name  (type, argument)` and the description, wrapped to `width` columns. */
export function catalogText(
  fields: readonly Field[],
  colors: Pick<Colors, 'bold' | 'dim' | 'cyan'>,
  width: number,
): string {
  const blocks: string[] = [];
  for (const [name, members] of byClass(fields)) {
    const lines = members.flatMap((field) => fieldLines(field, colors, width));
    blocks.push(`${colors.bold(name)}\n${lines.join('\n')}\n`);
  }
  return blocks.join('\n');
}

function fieldLines(field: Field, colors: Pick<Colors, 'dim' | 'cyan'>, width: number): string[] {
  const argument = argumentName(field);
  const kind = `(${typeName(field)}${argument === '' ? '' : `, ${argument}`})`;
  const indent = ' '.repeat(4);
  const name = printable(field.name);
  const padding = ' '.repeat(Math.max(1, NAME_WIDTH - name.length));
  const head = `  ${colors.cyan(name)}${padding}${colors.dim(kind)}`;
  return [head, ...wrap(printable(describe(field)), width - indent.length).map((line) => indent + line)];
}

/** Lines of at most `width` characters, cut at spaces. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}

/** A field as one JSON object on a line. */
export function catalogJsonLine(field: Field): string {
  const row = {
    name: field.name,
    class: field.fieldClass,
    type: enumName(FieldType, field.type),
    is_list: field.isList,
    argument: argumentName(field) || null,
    description: field.description,
    filter_only: field.isFilterOnly,
    print_only: field.isPrintOnly,
    deprecated: field.isDeprecated,
    unavailable: field.unavailableReason ?? null,
  };
  return `${JSON.stringify(row)}\n`;
}

/** A table per class. */
export function catalogMarkdown(fields: readonly Field[]): string {
  const sections: string[] = [];
  for (const [name, members] of byClass(fields)) {
    const rows = members.map(
      (field) =>
        `| \`${field.name}\` | ${typeName(field)} | ${argumentName(field)} | ${cell(describe(field))} |`,
    );
    sections.push(
      `## ${name}\n\n| field | type | argument | description |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`,
    );
  }
  return sections.join('\n');
}

function cell(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replace(/\s*\n\s*/g, ' ');
}
