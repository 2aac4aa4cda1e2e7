/** `strata status`: a running server about itself. */
import type { Command } from 'commander';
import { CaptureEngine } from '../../../proto/gen/strata/v1/node.ts';
import {
  type GetStatusResponse,
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
        throw new CliError(
          `no server is running at ${DEFAULT_TARGET}; start one with: npm start -- --capture FILE.scap`,
        );
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
  ]),
};

const TABLE_COLUMNS: readonly TableColumn<TableStatus>[] = [
  { title: 'TABLE', value: (row) => row.name },
  { title: 'ROWS', align: 'right', value: (row) => formatCount(row.rowCount) },
  { title: 'MAX', align: 'right', value: (row) => formatCount(row.rowsMax) },
  { title: 'ADDED', align: 'right', value: (row) => formatCount(row.addedCount) },
  { title: 'REMOVED', align: 'right', value: (row) => formatCount(row.removedCount) },
  { title: 'REFUSED', align: 'right', value: (row) => formatCount(row.refusedCount) },
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
    ...status.sources.map((source): [string, string] => ['source', formatSource(source)]),
  ];
  const parts = [formatPairs(pairs)];
  if (status.tables.length > 0) parts.push(formatTable(TABLE_COLUMNS, status.tables, context.colors));
  if (status.subscriptions.length > 0) {
    parts.push(formatTable(SUBSCRIPTION_COLUMNS, status.subscriptions, context.colors));
  }
  return parts.join('\n');
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
