/** docs/cli.md from the definitions of the `strata` command. */
import type { Command } from 'commander';
import { type CliContext, processContext } from '../client/cli/context.ts';
import { makeProgram, PROGRAM_NOTES } from '../client/cli/program.ts';
import { markdownText } from './markdown.ts';

export function cliDoc(): string {
  const context: CliContext = processContext(new AbortController().signal);
  const program = makeProgram(context);
  return `# The \`strata\` command

${program.description()} In a checkout it runs as \`npm run -s strata -- COMMAND\`.

${leafCommands(program)
  .map(({ path, command }) => commandSection(path, command))
  .join('\n')}
## Exit codes and environment

\`\`\`text
${PROGRAM_NOTES}
\`\`\`
`;
}

interface Leaf {
  readonly path: string;
  readonly command: Command;
}

/** Commands that do something, in the order of --help. */
function leafCommands(parent: Command, prefix = ''): Leaf[] {
  return parent.commands.flatMap((command) => {
    const path = `${prefix}${command.name()}`;
    return command.commands.length > 0 ? leafCommands(command, `${path} `) : [{ path, command }];
  });
}

function commandSection(path: string, command: Command): string {
  const options = command.options.filter((option) => !option.hidden);
  const rows = options.map((option) => `| \`${option.flags}\` | ${markdownText(option.description)} |`);
  const table = rows.length === 0 ? '' : `| option | meaning |\n| --- | --- |\n${rows.join('\n')}\n`;
  return `## ${path}

\`strata ${path} ${command.usage()}\`

${markdownText(command.description())}

${table}`;
}
