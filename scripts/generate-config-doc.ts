/** docs/config.md from the option table of the server. */
import { environmentName } from '../server/config/config.ts';
import { OPTION_ROWS, type OptionRow } from '../server/config/options.ts';
import { markdownText } from './markdown.ts';

export function configDoc(): string {
  const rows = OPTION_ROWS as readonly OptionRow[];
  return `# Configuration of the server

Every option can be given on the command line (\`npm start -- --OPTION VALUE\`), in the environment, or in a YAML file that
\`--config FILE\` or \`STRATA_CONFIG\` names, with the option's name as the key. The command line wins over the environment,
the environment over the file, the file over the default. \`--print-config\` prints the result as such a file and ends.

Options of type list are repeated on the command line, separated by commas in the environment, and lists in YAML.

| option | environment | type | default | meaning |
| --- | --- | --- | --- | --- |
${rows.map(tableRow).join('\n')}

## Limits

| option | from | to | at the limit |
| --- | --- | --- | --- |
${rows.filter(hasLimits).map(limitRow).join('\n')}
`;
}

function tableRow(row: OptionRow): string {
  const type = row.choices === undefined ? row.type : row.choices.map((choice) => `\`${choice}\``).join(', ');
  const value = row.placeholder === undefined ? '' : ` ${row.placeholder}`;
  const shown = row.default === undefined || String(row.default) === '' ? '' : `\`${String(row.default)}\``;
  return `| \`--${row.name}${value}\` | \`${environmentName(row.name)}\` | ${type} | ${shown} | ${markdownText(row.description)} |`;
}

function hasLimits(row: OptionRow): boolean {
  return row.min !== undefined || row.max !== undefined || row.atLimit !== undefined;
}

function limitRow(row: OptionRow): string {
  return `| \`--${row.name}\` | ${row.min ?? ''} | ${row.max ?? ''} | ${markdownText(row.atLimit ?? '')} |`;
}
