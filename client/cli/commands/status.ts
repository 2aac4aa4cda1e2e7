/** `strata status`: a running server about itself. */
import type { Command } from 'commander';
import { CaptureEngine } from '../../../proto/gen/strata/v1/node.ts';
import {
  type ContainerStatus,
  type GetStatusResponse,
  KubernetesKindState,
  type KubernetesKindStatus,
  type KubernetesStatus,
  type LiveCaptureStatus,
  RuntimeState,
  type RuntimeStatus,
  SourceState,
  type SourceStatus,
  type SubscriptionStatus,
  type TableStatus,
} from '../../../proto/gen/strata/v1/node_service.ts';
import { CliError } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { explainError } from '../explain-error.ts';
import { enumName, messageJson } from '../message-json.ts';
import { formatCount } from '../progress-bar.ts';
import { connectRunning } from '../server-connection.ts';
import { formatTime } from '../state-views.ts';
import { formatPairs, formatTable, type TableColumn } from '../table.ts';
import { DEFAULT_TARGET } from '../target.ts';
import { type TargetOptions, targetOption } from './target-option.ts';

interface StatusOptions extends TargetOptions {
  readonly json?: boolean | undefined;
}

export function addStatusCommand(program: Command, context: CliContext): void {
  program
    .command('status')
    .summary('print what a running server does')
    .description('Prints what a running server serves, how full its tables are, and who is subscribed.')
    .option('-j, --json', 'one JSON object')
    .addOption(targetOption())
    .action(async (options: StatusOptions) => {
      const connection = await connectRunning(context, options.target);
      if (connection === undefined) {
        throw new CliError(`no server is running at ${DEFAULT_TARGET}; start one with: npm start`);
      }
      try {
        const status = await connection.client.getStatus();
        const text =
          options.json === true ? `${messageJson(status, JSON_SHAPE)}\n` : formatStatus(status, context);
        const output = context.output();
        await output.write(text);
        await output.flush();
      } catch (error) {
        throw explainError(error, connection.name);
      } finally {
        await connection.close();
      }
    });
}

const JSON_SHAPE = {
  addresses: new Set<string>(),
  enums: new Map<string, Readonly<Record<string, number>>>([
    ['captureEngine', CaptureEngine],
    ['state', SourceState],
    ['runtimeState', RuntimeState],
    ['kindState', KubernetesKindState],
  ]),
};

const TABLE_COLUMNS: readonly TableColumn<TableStatus>[] = [
  { title: 'TABLE', value: (row) => row.name },
  { title: 'ROWS', align: 'right', value: (row) => formatCount(row.rowCount) },
  { title: 'MAX', align: 'right', value: (row) => formatCount(row.rowsMax) },
  { title: 'ADDED', align: 'right', value: (row) => formatCount(row.addedCount) },
  { title: 'REMOVED', align: 'right', value: (row) => formatCount(row.removedCount) },
  { title: 'REFUSED', align: 'right', value: (row) => formatCount(row.refusedCount) },
  { title: 'MEMORY', align: 'right', value: (row) => `~${formatBytes(row.byteEstimate)}` },
];

const RUNTIME_COLUMNS: readonly TableColumn<RuntimeStatus>[] = [
  { title: 'RUNTIME', value: (row) => row.version || row.kind },
  { title: 'STATE', value: (row) => enumName(RuntimeState, row.runtimeState) },
  { title: 'CONTAINERS', align: 'right', value: (row) => formatCount(row.containerCount) },
  { title: 'CALLS', align: 'right', value: (row) => formatCount(row.callCount) },
  { title: 'FAILED', align: 'right', value: (row) => formatCount(row.callFailureCount) },
  { title: 'LATE', align: 'right', value: (row) => formatCount(row.callTimeoutCount) },
  {
    title: 'EVENTS',
    align: 'right',
    value: (row) => `${formatCount(row.eventCount)}${row.isWatching ? '' : ' (off)'}`,
  },
  { title: 'RECONNECTS', align: 'right', value: (row) => formatCount(row.reconnectCount) },
  { title: 'SOCKET', value: (row) => `${row.kind} ${row.socketPath}` },
];

const KIND_COLUMNS: readonly TableColumn<KubernetesKindStatus>[] = [
  { title: 'KIND', value: (row) => row.kind },
  { title: 'STATE', value: (row) => enumName(KubernetesKindState, row.kindState) },
  { title: 'LISTS', align: 'right', value: (row) => formatCount(BigInt(row.listCount)) },
  { title: 'ERROR', value: (row) => row.error },
];

const SUBSCRIPTION_COLUMNS: readonly TableColumn<SubscriptionStatus>[] = [
  { title: 'SUBSCRIPTION', value: (row) => row.idPrefix },
  { title: 'SENT', align: 'right', value: (row) => formatCount(row.sentCount) },
  { title: 'LOST', align: 'right', value: (row) => formatCount(row.lostCount) },
  { title: 'BACKLOG', align: 'right', value: (row) => `${formatBytes(row.backlogBytes)}` },
  { title: 'POLICY', value: (row) => row.overflowPolicy },
];

/** Status for people. */
export function formatStatus(status: GetStatusResponse, context: Pick<CliContext, 'colors'>): string {
  const name = status.node?.nodeName || status.node?.hostname || 'unknown';
  const pairs: [string, string][] = [
    ['server', status.serverVersion],
    ['node', name],
    ['started', formatTime(status.startTimestampNs)],
    ['memory', formatBytes(status.memoryRssBytes)],
    ['cpu time', `${(Number(status.cpuTimeNs) / 1e9).toFixed(2)} s`],
    ...status.sources.flatMap((source): [string, string][] => [
      ['source', formatSource(source)],
      ...(source.live === undefined ? [] : livePairs(source.live)),
    ]),
    ...(status.containers === undefined ? [] : containerPairs(status.containers)),
    ...(status.kubernetes === undefined ? [] : kubernetesPairs(status.kubernetes)),
    ...status.runtimes
      .filter((runtime) => runtime.error !== '')
      .map((runtime): [string, string] => [
        `${runtime.kind} is ${enumName(RuntimeState, runtime.runtimeState)}`,
        runtime.error,
      ]),
  ];
  const parts = [formatPairs(pairs)];
  if (status.tables.length > 0) parts.push(formatTable(TABLE_COLUMNS, status.tables, context.colors));
  if (status.runtimes.length > 0) parts.push(formatTable(RUNTIME_COLUMNS, status.runtimes, context.colors));
  const kinds = status.kubernetes?.kinds ?? [];
  if (kinds.length > 0) parts.push(formatTable(KIND_COLUMNS, kinds, context.colors));
  if (status.subscriptions.length > 0) {
    parts.push(formatTable(SUBSCRIPTION_COLUMNS, status.subscriptions, context.colors));
  }
  return parts.join('\n');
}

function kubernetesPairs(status: KubernetesStatus): [string, string][] {
  const node = status.nodeName === '' ? 'THE WHOLE CLUSTER' : `node ${status.nodeName}`;
  return [
    [
      'kubernetes',
      `${formatCount(BigInt(status.podCount))} pods of ${node}${status.isSynced ? '' : ', not all read yet'}, by ${status.origin}`,
    ],
    [
      'its server',
      `${formatCount(status.requestCount)} requests, ${formatCount(status.failureCount)} failed, ${formatBytes(status.bytesRead)} read`,
    ],
  ];
}

function formatSource(source: SourceStatus): string {
  const parts = [
    `${source.name} from ${enumName(CaptureEngine, source.captureEngine)}${source.captureName === '' ? '' : ` ${source.captureName}`}`,
    enumName(SourceState, source.state),
    `${formatCount(source.eventCount)} events`,
  ];
  if (source.oldestRetainedEventNumber !== undefined) {
    parts.push(`kept from event ${source.oldestRetainedEventNumber}`);
  }
  if (source.error !== '') parts.push(source.error);
  return parts.join(', ');
}

/** How well events of containers are enriched; nothing about what never happened. */
function containerPairs(containers: ContainerStatus): [string, string][] {
  const counted = (rows: readonly (readonly [bigint, string])[]): string =>
    rows
      .filter(([count]) => count > 0n)
      .map(([count, what]) => `${formatCount(count)} ${what}`)
      .join(', ');
  const pairs: [string, string][] = [
    [
      'container events',
      containers.hitRate === undefined
        ? ''
        : `${formatCount(containers.eventCount)}, ${(containers.hitRate * 100).toFixed(2)} % complete at once`,
    ],
    [
      'containers',
      counted([
        [BigInt(containers.pendingCount), 'awaited'],
        [containers.prefetchedCount, 'known beforehand'],
        [containers.lookupFoundCount, 'looked up'],
        [containers.lookupFailedCount, 'not found'],
        [containers.lookupRefusedCount, 'look-ups refused'],
        [containers.usersFailedCount, 'without their users'],
        [containers.sweptCount, 'gone'],
        [containers.injectionRefusedCount, 'records without room'],
      ]),
    ],
    [
      'delivery',
      counted([
        [containers.heldEventCount, 'events held'],
        [containers.releasedIncompleteCount, formatIncomplete(containers)],
        [containers.sentIncompleteCount, 'sent at once without'],
        [containers.completedEventCount, 'completed'],
        [containers.completionCount, 'completions'],
        [containers.lostCompletionCount, 'completions lost'],
      ]),
    ],
  ];
  return pairs.filter(([, value]) => value !== '');
}

function formatIncomplete({ releasedIncompleteByCause }: ContainerStatus): string {
  const causes = releasedIncompleteByCause.map(({ cause, count }) => `${cause} ${formatCount(count)}`);
  return `sent without${causes.length === 0 ? '' : ` (${causes.join(', ')})`}`;
}

/** What a live source captures, and how well. */
function livePairs(live: LiveCaptureStatus): [string, string][] {
  const pairs: [string, string][] = [
    ['no events because', live.fallbackReason],
    ['captured', `${live.systemCallsWanted} system calls for ${live.eventTypesWanted} event types`],
    ['in the kernel', formatKernel(live)],
    ['lost', formatLost(live)],
    ['rings', formatRings(live)],
    ['initial state', formatSnapshot(live)],
    [
      'healed',
      live.healedLookupCount === 0n ? '' : `${live.healedThreadCount} of ${live.healedLookupCount} threads`,
    ],
    ['capabilities', live.capabilities.join(' ')],
    ...live.notes.map((text): [string, string] => ['note', text]),
  ];
  return pairs.filter(([, value]) => value !== '');
}

function formatKernel(live: LiveCaptureStatus): string {
  if (live.ringCount === 0) return '';
  const rest: [bigint, string][] = [
    [live.suppressedCount, 'suppressed'],
    [live.unreadParameterCount, 'parameters unreadable'],
    [live.truncatedParameterCount, 'cut'],
    [live.failedCount, 'failed'],
  ];
  const parts = rest.filter(([count]) => count > 0n).map(([count, what]) => `${formatCount(count)} ${what}`);
  return [`${formatCount(live.generatedCount)} events built`, ...parts].join(', ');
}

function formatLost(live: LiveCaptureStatus): string {
  if (live.lostCount === 0n) return live.ringCount === 0 ? '' : 'nothing';
  const counts = [...live.lostByCause.filter(({ count }) => count > 0n), ...live.lostByEventType.slice(0, 5)];
  const details = counts.map(({ name, count }) => `${name} ${formatCount(count)}`).join(', ');
  return `${formatCount(live.lostCount)}${details === '' ? '' : ` (${details})`}`;
}

function formatRings(live: LiveCaptureStatus): string {
  if (live.ringCount === 0) return '';
  return `${live.ringCount}, ${formatBytes(live.ringBytes)} together, ${formatBytes(live.ringUsedBytes)} in use, at most ${formatBytes(live.ringUsedBytesMax)} in one`;
}

function formatSnapshot(live: LiveCaptureStatus): string {
  if (live.snapshotSource === '') return '';
  return `${formatCount(live.snapshotThreadCount)} threads by ${live.snapshotSource} in ${live.snapshotDurationMs} ms, ${formatTime(live.snapshotEndTimestampNs)}`;
}

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1536` -> `1.5 KiB`. */
export function formatBytes(bytes: bigint): string {
  let value = Number(bytes);
  let unit = 0;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}
