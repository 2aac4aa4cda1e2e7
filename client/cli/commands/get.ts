/** `strata get ...`: rows of the state. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CaptureEngine } from '../../../proto/gen/strata/v1/node.ts';
import { type Container, StateScope } from '../../../proto/gen/strata/v1/state.ts';
import type { Config } from '../../../server/config/config.ts';
import { StrataClientError } from '../../client-error.ts';
import type { StrataClient } from '../../strata-client.ts';
import { BUNDLED_CAPTURE_NAME } from '../capture-file.ts';
import { CliError } from '../cli-error.ts';
import { containerPairs } from '../container-view.ts';
import type { CliContext } from '../context.ts';
import { explainError } from '../explain-error.ts';
import { addLiveOptions, liveConfig } from '../live-options.ts';
import { podPairs } from '../pod-view.ts';
import { waitForPass } from '../private-pass.ts';
import {
  connectForLookup,
  connectPrivate,
  type LookupOptions,
  type ServerConnection,
  THIS_NODE,
} from '../server-connection.ts';
import {
  CONTAINER_LIST,
  fdList,
  GROUP_LIST,
  INTERFACE_LIST,
  listRows,
  POD_LIST,
  type StateList,
  THREAD_LIST,
  USER_LIST,
} from '../state-lists.ts';
import { stateJsonLine, threadPairs } from '../state-views.ts';
import { formatPairs, formatTable } from '../table.ts';
import { targetOption } from './target-option.ts';

interface GetOptions extends LookupOptions {
  readonly json?: boolean | undefined;
  readonly event?: bigint | undefined;
  readonly captureEngine?: string | undefined;
}

/** Looks something up and returns what to print. */
type Lookup = (connection: ServerConnection, scope: Partial<StateScope>) => Promise<string>;

/** As many events as a server may keep: a private one is asked about any of them. */
const RETAIN_ALL: Partial<Config> = { 'retain-events': 1_048_576, 'retain-bytes': 1_073_741_824 };
const RETAIN_NONE: Partial<Config> = { 'retain-events': 0 };
/** From the kernel where that is allowed, which tells of processes that /proc hides; else from /proc. */
const THIS_NODE_OPTIONS: Partial<Config> = { ...RETAIN_NONE, 'capture-engine': 'auto' };

export function addGetCommand(program: Command, context: CliContext): void {
  const get = program
    .command('get')
    .summary('print state: threads, fds, users, groups, interfaces, containers, pods')
    .description(
      'Prints rows of the state: of a running server, of a capture file at its end, or of either at an event (--event). Where no server runs: of this node, as far as this user may see it.',
    );
  addThread(get, context);
  addFds(get, context);
  addContainer(get, context);
  addPod(get, context);
  addList(get, context, 'threads', 'all threads', THREAD_LIST);
  addList(get, context, 'users', 'users of the node and of containers', USER_LIST);
  addList(get, context, 'groups', 'groups of the node and of containers', GROUP_LIST);
  addList(get, context, 'interfaces', 'addresses of network interfaces', INTERFACE_LIST);
  addList(get, context, 'containers', 'containers', CONTAINER_LIST);
  addList(get, context, 'pods', 'pods of the node', POD_LIST, notePods);
}

function addThread(get: Command, context: CliContext): void {
  const command = get
    .command('thread')
    .description('Prints one thread and its ancestors.')
    .argument('<TID>', 'thread id', parseId);
  addGetOptions(command).action((tid: bigint, options: GetOptions) =>
    runLookup(context, options, async ({ client }, scope) => {
      const { thread, ancestors } = await client.getThread({ tid, scope, includeAncestors: true });
      if (thread === undefined) throw new CliError(`no thread ${tid}`);
      return options.json === true
        ? stateJsonLine({ ...thread, ancestors })
        : formatPairs(threadPairs(thread, ancestors));
    }),
  );
}

function addFds(get: Command, context: CliContext): void {
  const command = get
    .command('fds')
    .description("Prints the open file descriptors of a thread's process.")
    .argument('<TID>', 'any thread of the process', parseId);
  addGetOptions(command).action((tid: bigint, options: GetOptions) =>
    runLookup(context, options, printList(context, options, fdList(tid))),
  );
}

/** An empty list of pods is not the same as one that cannot be read. */
async function notePods({ client, name }: ServerConnection, { notes }: CliContext): Promise<void> {
  const { kubernetes, sources } = await client.getStatus();
  if (sources.some(({ captureEngine }) => captureEngine === CaptureEngine.SAVEFILE)) return;
  if (kubernetes === undefined) {
    notes.write(`${name}: no API server is followed; --kubeconfig FILE or --k8s-api URL names one\n`);
  }
  for (const { kind, error } of kubernetes?.kinds ?? []) {
    if (error !== '') notes.write(`${name}: ${kind}: ${error}\n`);
  }
}

function addPod(get: Command, context: CliContext): void {
  const command = get
    .command('pod')
    .description('Prints one pod.')
    .argument('<UID|NAME>', 'unique id, NAMESPACE/NAME, or a name that only one pod has');
  addGetOptions(command).action((text: string, options: GetOptions) =>
    runLookup(context, options, async ({ client }, scope) => {
      const { pod } = await client.getPod({ ...(isUid(text) ? { podUid: text } : { name: text }), scope });
      if (pod === undefined) throw new CliError(`no pod ${text}`);
      return options.json === true ? stateJsonLine(pod) : formatPairs(podPairs(pod));
    }),
  );
}

function isUid(text: string): boolean {
  return /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$|^[0-9a-f]{32}$/.test(text);
}

function addContainer(get: Command, context: CliContext): void {
  const command = get
    .command('container')
    .description('Prints one container.')
    .argument('<ID|NAME>', 'full or short (12 characters) id, or name');
  addGetOptions(command).action((text: string, options: GetOptions) =>
    runLookup(context, options, async ({ client }, scope) => {
      const container = await findContainer(client, text, scope);
      if (container === undefined) throw new CliError(`no container ${text}`);
      return options.json === true ? stateJsonLine(container) : formatPairs(containerPairs(container));
    }),
  );
}

/** By id, else by name. */
async function findContainer(
  client: StrataClient,
  text: string,
  scope: Partial<StateScope>,
): Promise<Container | undefined> {
  const find = async (request: { readonly containerId: string } | { readonly name: string }) => {
    try {
      return (await client.getContainer({ ...request, scope: StateScope.fromPartial(scope) })).container;
    } catch (error) {
      if (error instanceof StrataClientError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  };
  return (await find({ containerId: text })) ?? (await find({ name: text }));
}

function addList<Row extends object>(
  get: Command,
  context: CliContext,
  name: string,
  what: string,
  list: StateList<Row>,
  note: (connection: ServerConnection, context: CliContext) => Promise<void> = async () => undefined,
): void {
  const command = get.command(name).description(`Prints ${what}.`);
  // Interfaces are not kept per event.
  addGetOptions(command, list !== (INTERFACE_LIST as unknown)).action((options: GetOptions) =>
    runLookup(context, options, async (connection, scope) => {
      await note(connection, context);
      return printList(context, options, list)(connection, scope);
    }),
  );
}

function printList<Row extends object>(
  context: CliContext,
  options: GetOptions,
  list: StateList<Row>,
): Lookup {
  return async ({ client }, scope) => {
    const rows: Row[] = [];
    for await (const row of listRows(list, client, scope)) rows.push(row);
    return options.json === true
      ? rows.map(stateJsonLine).join('')
      : formatTable(list.columns, rows, context.colors);
  };
}

function addGetOptions(command: Command, hasEvent = true): Command {
  command.option('-j, --json', 'one JSON object per row');
  if (hasEvent) {
    command.addOption(
      new Option('-e, --event <N>', 'state as of event number N (evt.num), as long as it is kept').argParser(
        parseId,
      ),
    );
  }
  command
    .addOption(targetOption())
    .addOption(
      new Option(
        '-c, --capture <FILE>',
        `state of this capture file (or '${BUNDLED_CAPTURE_NAME}') instead of a running server`,
      ).conflicts('target'),
    )
    .addOption(
      new Option(
        '--capture-engine <ENGINE>',
        'when no server is running: where the state of this node is read, ebpf: in the kernel, nodriver: in /proc',
      )
        .choices(['auto', 'ebpf', 'nodriver'])
        .conflicts(['target', 'capture']),
    );
  return addLiveOptions(command);
}

async function runLookup(context: CliContext, options: GetOptions, lookup: Lookup): Promise<void> {
  const hasEvent = options.event !== undefined;
  const connection = await connectForLookup(context, options, hasEvent ? RETAIN_ALL : RETAIN_NONE, () => {
    if (hasEvent)
      throw new CliError('no server is running that could know of events: name a capture with -c');
    const live = liveConfig({ ...options }, context.environment);
    const engine = options.captureEngine === undefined ? {} : { 'capture-engine': options.captureEngine };
    return connectPrivate({ ...live, ...THIS_NODE_OPTIONS, ...engine }, THIS_NODE);
  });
  try {
    const damage = connection.isPrivate ? await waitForPass(connection.client, context.signal) : undefined;
    const text = await lookup(connection, hasEvent ? { eventNumber: options.event } : {});
    const output = context.output();
    await output.write(text);
    await output.flush();
    if (damage !== undefined)
      throw new CliError(`${connection.name}: ${damage}; this is the state before the damage`);
  } catch (error) {
    throw explainError(error, connection.name);
  } finally {
    await connection.close();
  }
}

function parseId(text: string): bigint {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return BigInt(text);
}
