/** docs/fields.md from the field catalogue. */
import { fieldClasses } from '../server/fields/catalogue.ts';
import type { FieldRow } from '../server/fields/field.ts';
import { markdownText } from './markdown.ts';

export function fieldsDoc(): string {
  const classes = fieldClasses()
    .map(({ name, description, rows }) => ({ name, description, rows: rows.filter((row) => !row.hidden) }))
    .filter(({ rows }) => rows.length > 0);
  return `# Fields

What a field reference may name, by class. \`strata fields\` prints the same list for the running version.

A reference is \`name\`, \`name[argument]\`, \`name["quoted argument"]\` or \`name.argument\`. An *index* is a number; a *key* is a
name or a path. A field without a value for an event is absent: \`<NA>\` in text, \`null\` in JSON. An empty text is a value.

${classes.map(({ name, description, rows }) => classSection(name, description, rows)).join('\n')}`;
}

function classSection(name: string, description: string, rows: readonly FieldRow[]): string {
  return `## ${name}

${markdownText(description)}.

| field | type | argument | description |
| --- | --- | --- | --- |
${rows.map(fieldLine).join('\n')}
`;
}

function fieldLine(row: FieldRow): string {
  const type = row.isList ? `list of ${row.type}` : row.type;
  const argument = row.argument === 'none' ? '' : row.argument.replace('|', ' or ');
  const notes = [
    row.deprecated ? 'Deprecated.' : '',
    row.filterOnly ? 'For conditions only.' : '',
    row.printOnly ? 'For output only.' : '',
    row.unavailable === undefined ? '' : `Always absent: ${row.unavailable}.`,
  ];
  const description = [`${row.description}.`, ...notes].filter((note) => note !== '').join(' ');
  return `| \`${row.name}\` | ${type} | ${argument} | ${markdownText(description)} |`;
}
