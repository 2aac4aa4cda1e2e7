/** `strata fields`: the field catalogue. */
import { type Command, Option } from 'commander';
import type { Field } from '../../../proto/gen/strata/v1/catalog_service.ts';
import { nearestNames } from '../../../server/event/nearest-names.ts';
import { BUNDLED_CAPTURE } from '../capture-file.ts';
import { usageError } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { explainError } from '../explain-error.ts';
import { catalogJsonLine, catalogMarkdown, catalogText } from '../field-catalog.ts';
import { connectPrivate, connectRunning, REPLAY_OPTIONS } from '../server-connection.ts';
import { type TargetOptions, targetOption } from './target-option.ts';

interface FieldsOptions extends TargetOptions {
  readonly json?: boolean | undefined;
  readonly markdown?: boolean | undefined;
}

/** Descriptions are wrapped to the terminal, but not beyond what is easy to read. */
const WIDTH_MAX = 120;

export function addFieldsCommand(program: Command, context: CliContext): void {
  program
    .command('fields')
    .summary('print the fields that filters, --fields and formats may name')
    .description(
      'Prints the fields that filters, --fields and formats may name, of a running server or of this version.',
    )
    .argument('[CLASS]', 'only this class, such as proc, fd or evt')
    .addOption(new Option('-j, --json', 'one JSON object per field').conflicts('markdown'))
    .option('--markdown', 'a markdown table per class')
    .addOption(targetOption())
    .action(async (fieldClass: string | undefined, options: FieldsOptions) => {
      const fields = selectClass(await listFields(context, options), fieldClass);
      const output = context.output();
      await output.write(render(fields, options, context));
      await output.flush();
    });
}

async function listFields(context: CliContext, options: FieldsOptions): Promise<readonly Field[]> {
  // The catalogue is the version's own: a private server knows it without reading any events.
  const connection =
    (await connectRunning(context, options.target)) ??
    (await connectPrivate({ ...REPLAY_OPTIONS, capture: BUNDLED_CAPTURE }, 'private server'));
  try {
    return (await connection.client.listFields()).fields;
  } catch (error) {
    throw explainError(error, connection.name);
  } finally {
    await connection.close();
  }
}

function selectClass(fields: readonly Field[], fieldClass: string | undefined): readonly Field[] {
  if (fieldClass === undefined) return fields;
  const selected = fields.filter((field) => field.fieldClass === fieldClass);
  if (selected.length > 0) return selected;
  const classes = [...new Set(fields.map((field) => field.fieldClass))];
  const [nearest] = nearestNames(fieldClass, classes);
  const hint = nearest === undefined ? `there are: ${classes.join(', ')}` : `did you mean ${nearest}?`;
  throw usageError(`unknown field class '${fieldClass}'; ${hint}`);
}

function render(fields: readonly Field[], options: FieldsOptions, context: CliContext): string {
  if (options.json === true) return fields.map(catalogJsonLine).join('');
  if (options.markdown === true) return catalogMarkdown(fields);
  const columns = context.isOutputTty ? process.stdout.columns : undefined;
  return catalogText(fields, context.colors, Math.min(columns ?? WIDTH_MAX, WIDTH_MAX));
}
