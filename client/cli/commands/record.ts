/** `strata record OUT [FILTER] [-- COMMAND...]`: a capture file of this node, of a running server, or of another capture. */
import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { RecordRequest } from '../../../proto/gen/strata/v1/recording_service.ts';
import { capturePath, checkCaptureFile } from '../capture-file.ts';
import { usageError } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { addLiveOptions, liveConfig } from '../live-options.ts';
import { commandAfterDashes, RecordedCommand } from '../record-command.ts';
import { RecordFiles, type RecordOutput, StdoutOutput } from '../record-output.ts';
import { RecordSession } from '../record-session.ts';
import { parseDuration, parseSize } from '../record-units.ts';
import {
  connectLive,
  connectPrivate,
  connectRunning,
  REPLAY_OPTIONS,
  type ServerConnection,
} from '../server-connection.ts';
import { FILTER_HELP, filterArgument, parseCount } from './event-options.ts';
import { type TargetOptions, targetOption } from './target-option.ts';

interface RecordOptions extends TargetOptions {
  readonly duration?: number | undefined;
  readonly events?: number | undefined;
  readonly size?: number | undefined;
  readonly rotateSize?: number | undefined;
  readonly rotateDuration?: number | undefined;
  readonly rotateFiles?: number | undefined;
  readonly data?: string | undefined;
  readonly compress?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly onlyCommand?: boolean | undefined;
  readonly capture?: string | undefined;
  readonly start?: 'beginning' | 'live' | undefined;
  readonly progress?: boolean | undefined;
}

const COMMAND_HELP = `With -- COMMAND, COMMAND is started once the recording runs, the recording ends with it, and its exit code is passed on.
The whole node is recorded, as without a command; --only-command records the command and what it starts.
Standard output of COMMAND goes to standard error when OUT is -.

Under a FILTER, events that change the state of processes and files without matching are kept for their state alone: a replay
does not show them, but shows the others with the values they had.

Rotated files are numbered: OUT.scap becomes OUT-00001.scap, OUT-00002.scap, and so on. Each can be read by itself: it starts
with the state of its first moment.

${FILTER_HELP}`;

export function addRecordCommand(program: Command, context: CliContext): void {
  const command = program
    .command('record')
    .summary('record events into a capture file')
    .description(
      'Records the events of a running server, else of this node live, into a .scap capture file that starts with the state of the node: strata replay and sysdig read it. Runs until Ctrl-C, a limit, or the end of COMMAND.',
    )
    .usage('[options] <OUT> [FILTER...] [-- COMMAND...]')
    .argument('<OUT>', 'capture file to write; - for standard output')
    .addArgument(filterArgument())
    .addHelpText('after', `\n${COMMAND_HELP}`);
  addLimitOptions(command)
    .addOption(
      new Option(
        '--data <BYTES>',
        'keep at most this many bytes of the data read or written by an event; 0 keeps none (default: as captured)',
      ).argParser(parseData),
    )
    .option('-z, --compress', 'compress with gzip; sizes in options are those before compression')
    .option('-f, --force', 'replace files that exist')
    .option('--only-command', 'record only COMMAND and the processes it starts')
    .option('--no-progress', 'never show progress (default: on a terminal, without COMMAND)')
    .addOption(targetOption())
    .addOption(
      new Option('-c, --capture <FILE>', 'record the events of this capture file').conflicts('target'),
    )
    .addOption(
      new Option(
        '--start <WHERE>',
        'beginning: the first event of the capture file that the server serves; live: the next event (default: beginning when it serves a file, else live)',
      ).choices(['beginning', 'live']),
    )
    .action(async (out: string, words: readonly string[], options: RecordOptions) => {
      // Commander hands over what follows `--` with the words before it.
      const after = commandAfterDashes(Reflect.get(program, 'rawArgs') as readonly string[]);
      const filter = words.slice(0, words.length - (after?.length ?? 0));
      await record(context, {
        out,
        filter,
        after,
        options,
        live: liveConfig(command.opts(), context.environment),
      });
    });
  addLiveOptions(command);
}

function addLimitOptions(command: Command): Command {
  return command
    .addOption(
      new Option('-d, --duration <TIME>', 'end after this long: 10s, 500ms, 5m').argParser(parseDuration),
    )
    .addOption(new Option('-n, --events <N>', 'end after N events').argParser(parseCount))
    .addOption(
      new Option('-s, --size <SIZE>', 'end before more than this is written: 10MB, 512KiB').argParser(
        parseSize,
      ),
    )
    .addOption(
      new Option('--rotate-size <SIZE>', 'start another file when one is this large').argParser(parseSize),
    )
    .addOption(
      new Option('--rotate-duration <TIME>', 'start another file after this long').argParser(parseDuration),
    )
    .addOption(
      new Option('--rotate-files <N>', 'keep the last N files, remove older ones').argParser(parseCount),
    );
}

function parseData(text: string): string {
  return text === '0' ? text : String(parseSize(text));
}

interface RecordPlan {
  readonly out: string;
  readonly filter: readonly string[];
  /** The command to run. */
  readonly after: readonly string[] | undefined;
  readonly options: RecordOptions;
  readonly live: Parameters<typeof connectLive>[0];
}

async function record(context: CliContext, plan: RecordPlan): Promise<void> {
  const { options, after } = plan;
  checkOptions(plan);
  const request = requestOf(plan);
  const output = await openOutput(context, plan);
  const command =
    after === undefined ? undefined : await RecordedCommand.prepare(after, plan.out === '-' ? 2 : 'inherit');
  try {
    const connection = await connect(context, plan);
    try {
      const condition =
        options.onlyCommand === true && command !== undefined
          ? onlyTree(request.condition, command.pid)
          : request.condition;
      const session = new RecordSession(context, connection, {
        request: { ...request, condition },
        output,
        command,
        showsProgress: context.notes.isTty && options.progress !== false && command === undefined,
      });
      await session.run();
    } finally {
      await connection.close();
    }
  } finally {
    command?.terminate();
    if (output instanceof RecordFiles) await output.discardEmpty();
  }
}

function checkOptions({ out, after, options }: RecordPlan): void {
  const isRotating = options.rotateSize !== undefined || options.rotateDuration !== undefined;
  if (options.onlyCommand === true && after === undefined) {
    throw usageError('--only-command needs a command: strata record OUT --only-command -- COMMAND');
  }
  if (options.rotateFiles !== undefined && !isRotating) {
    throw usageError('--rotate-files needs --rotate-size or --rotate-duration');
  }
  if (out === '-' && isRotating) throw usageError('several files cannot go to standard output');
  if (after !== undefined && options.capture !== undefined) {
    throw usageError('a command cannot be recorded from a capture file: leave out --capture, or the command');
  }
}

function requestOf({ filter, options }: RecordPlan): RecordRequest {
  const { start, data } = options;
  const limit = (value: number | undefined): bigint | undefined =>
    value === undefined ? undefined : BigInt(value);
  const request = RecordRequest.fromPartial({
    condition: filter.join(' ').trim(),
    snaplenBytes: data === undefined ? 0 : Number(data),
    hasNoPayload: data === '0',
    isCompressed: options.compress === true,
    eventsMax: limit(options.events),
    bytesMax: limit(options.size),
    durationMsMax: limit(options.duration),
    rotateBytes: limit(options.rotateSize),
    rotateDurationMs: limit(options.rotateDuration),
  });
  if (start === undefined) return request;
  return {
    ...request,
    start: start === 'live' ? { $case: 'live', value: {} } : { $case: 'beginning', value: {} },
  };
}

async function openOutput(context: CliContext, { out, options }: RecordPlan): Promise<RecordOutput> {
  if (out === '-') {
    if (context.isOutputTty)
      throw usageError('a capture file is not for a terminal: send it to a file or a pipe');
    return new StdoutOutput(context.output());
  }
  return RecordFiles.create({
    path: out,
    isForced: options.force === true,
    isCompressed: options.compress === true,
    isRotating: options.rotateSize !== undefined || options.rotateDuration !== undefined,
    filesMax: options.rotateFiles ?? Number.POSITIVE_INFINITY,
  });
}

async function connect(context: CliContext, { options, live }: RecordPlan): Promise<ServerConnection> {
  if (options.capture !== undefined) {
    const path = capturePath(options.capture);
    checkCaptureFile(path);
    const name = path === options.capture ? path : basename(path);
    return connectPrivate({ ...REPLAY_OPTIONS, capture: path }, name);
  }
  return (await connectRunning(context, options.target)) ?? connectLive(live);
}

/** The condition for a process and its descendants. */
function onlyTree(condition: string, pid: number): string {
  const tree = `(proc.pid = ${pid} or proc.apid = ${pid})`;
  return condition === '' ? tree : `(${condition}) and ${tree}`;
}
