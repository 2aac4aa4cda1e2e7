/** `strata rules run` and `strata rules check`: the reference rule engine. */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { Rule } from '../../rules/compile-rules.ts';
import type { LoadedRules } from '../../rules/load-rules.ts';
import type { RuleEngineSummary } from '../../rules/rule-engine.ts';
import { CliError, EXIT_FAILURE } from '../cli-error.ts';
import { type CliContext, note } from '../context.ts';
import { checkEnd, formatGap } from '../event-printer.ts';
import { explainError } from '../explain-error.ts';
import { describeFileError } from '../file-error.ts';
import { liveConfig } from '../live-options.ts';
import { formatCount } from '../progress-bar.ts';
import {
  connectBundled,
  connectForLookup,
  connectLive,
  REPLAY_OPTIONS,
  type ServerConnection,
} from '../server-connection.ts';
import { parseCount } from './event-options.ts';
import { type TargetOptions, targetOption } from './target-option.ts';

interface CheckOptions {
  readonly json?: boolean | undefined;
}

interface RunOptions extends CheckOptions, TargetOptions {
  readonly capture?: string | undefined;
  readonly count?: number | undefined;
  readonly allMatches?: boolean | undefined;
}

const FILES_HELP = "rule files in Falco's format, in the order in which they are loaded";

export function addRulesCommand(program: Command, context: CliContext): void {
  const rules = program
    .command('rules')
    .description("Runs and checks rules in Falco's format: see docs/rules.md.");
  rules
    .command('run')
    .summary('run rules against a server or a capture file')
    .description(
      'Loads rules, subscribes with one filter per rule, and prints an alert for each match. Runs nothing when a rule has an error. Without --target and --capture: a running server, else this node live, else the bundled capture.',
    )
    .argument('<FILES...>', FILES_HELP)
    .addOption(targetOption())
    .addOption(new Option('-c, --capture <FILE>', 'run on this capture file').conflicts('target'))
    .option('-j, --json', "alerts as JSON objects, with the members of Falco's json_output")
    .addOption(new Option('-n, --count <N>', 'end after N alerts').argParser(parseCount))
    .option('--first-match', 'of the rules that match an event only the first alerts (default)')
    .addOption(new Option('--all-matches', 'all rules that match an event alert').conflicts('firstMatch'))
    .action(async (files: readonly string[], options: RunOptions) => runRules(context, files, options));
  rules
    .command('check')
    .summary('check rule files without running them')
    .description(
      'Loads and expands rules without running them. Prints how many rules, macros and lists there are, and every error and warning with file, line and column. Ends with 1 when there are errors.',
    )
    .argument('<FILES...>', FILES_HELP)
    .option('-j, --json', 'one JSON object')
    .action(async (files: readonly string[], options: CheckOptions) => checkRules(context, files, options));
}

/** Throws a CliError for files that cannot be read. */
async function load(files: readonly string[]): Promise<LoadedRules> {
  const sources = files.map((name) => {
    try {
      return { name, text: readFileSync(name, 'utf8') };
    } catch (error) {
      throw new CliError(`${name}: ${describeFileError(error)}`, EXIT_FAILURE, { cause: error });
    }
  });
  // Loaded when needed: the other commands do not pay for the condition language.
  const { loadRules } = await import('../../rules/load-rules.ts');
  return loadRules(sources);
}

async function checkRules(
  context: CliContext,
  files: readonly string[],
  options: CheckOptions,
): Promise<void> {
  const loaded = await load(files);
  const { checkJson, checkText } = await import('../../rules/check-report.ts');
  const output = context.output();
  await output.write(options.json === true ? checkJson(loaded) : checkText(loaded));
  await output.flush();
  if (loaded.hasErrors) throw new CliError(errorCount(loaded));
}

function errorCount({ diagnostics }: LoadedRules): string {
  const count = diagnostics.filter(({ severity }) => severity === 'error').length;
  return `the rules have ${count} ${count === 1 ? 'error' : 'errors'}`;
}

async function runRules(context: CliContext, files: readonly string[], options: RunOptions): Promise<void> {
  const loaded = await load(files);
  const { formatDiagnostic } = await import('../../rules/diagnostics.ts');
  for (const diagnostic of loaded.diagnostics) {
    if (diagnostic.severity === 'error') context.notes.write(`${formatDiagnostic(diagnostic)}\n`);
  }
  if (loaded.hasErrors) throw new CliError(`${errorCount(loaded)}; nothing was run`);
  const { RULES_MAX } = await import('../../rules/rule-engine.ts');
  const rules = loaded.rules.filter(({ isEnabled }) => isEnabled);
  if (rules.length === 0) throw new CliError('there is no enabled rule to run');
  if (rules.length > RULES_MAX) throw new CliError(`there are more than ${RULES_MAX} rules to run`);
  for (const { name, reason } of loaded.skipped) note(context, `rule '${name}' is skipped: ${reason}`);
  const connection = await connectForLookup(context, options, REPLAY_OPTIONS, async () => {
    try {
      return await connectLive(liveConfig({}, context.environment));
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      return connectBundled(context, error.message, REPLAY_OPTIONS);
    }
  });
  try {
    await runConnected(context, connection, rules, options);
  } finally {
    await connection.close();
  }
}

async function runConnected(
  context: CliContext,
  connection: ServerConnection,
  rules: readonly Rule[],
  options: RunOptions,
): Promise<void> {
  const { RuleEngine } = await import('../../rules/rule-engine.ts');
  const output = context.output();
  const engine = new RuleEngine(connection.client, rules, {
    isJson: options.json === true,
    firstMatchOnly: options.allMatches !== true,
    alertsMax: options.count,
    onGap: (gap) => note(context, formatGap(gap)),
    onAlert: (line) => output.write(line),
  });
  output.onFailure = () => engine.stream.cancel();
  const interrupt = (): void => engine.stream.cancel();
  context.signal.addEventListener('abort', interrupt);
  try {
    if (context.signal.aborted) return;
    const summary = await engine.run();
    await output.flush();
    summarize(context, summary, rules);
    checkEnd(summary.ended, connection.name);
    if (summary.ended === undefined && !summary.isComplete && !context.signal.aborted) {
      throw new CliError(`${connection.name}: the stream was cut`);
    }
  } catch (error) {
    if (output.failure !== undefined) throw output.failure;
    throw explainError(error, connection.name, new Map());
  } finally {
    context.signal.removeEventListener('abort', interrupt);
  }
}

function summarize(context: CliContext, summary: RuleEngineSummary, rules: readonly Rule[]): void {
  const { alerts, alertCount, lostCount, ended } = summary;
  const of = ended === undefined ? '' : ` in ${formatCount(Number(ended.seenCount))} events`;
  const lost = lostCount === 0n ? '' : `, ${formatCount(lostCount)} lost`;
  note(
    context,
    `${formatCount(alertCount)} alerts of ${alerts.size} rules (${formatCount(rules.length)} loaded)${of}${lost}`,
  );
  for (const [name, count] of alerts) note(context, `${formatCount(count).padStart(8)}  ${name}`);
}
