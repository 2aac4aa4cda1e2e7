import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Rendering } from '../../../proto/gen/strata/v1/event_service.ts';
import { withApp } from '../../helpers/app-fixture.ts';
import { lateCapture } from '../../helpers/late-capture.ts';

const SCRIPT = fileURLToPath(new URL('stream_events.py', import.meta.url));
const CONTRACT = fileURLToPath(new URL('../../../proto/gen/descriptor-set.binpb', import.meta.url));
/** The system's own Python: the gRPC module is a system package. */
const PYTHON = '/usr/bin/python3';
const FIELDS = [
  'evt.num',
  'evt.type',
  'proc.name',
  'proc.pid',
  'fd.name',
  'fd.types',
  'evt.is_open_read',
  'proc.exe_ino',
];

const hasGrpc = spawnSync(PYTHON, ['-c', 'import grpc, google.protobuf']).status === 0;
const run = promisify(execFile);

interface Summary {
  readonly events: number;
  readonly matched: number;
  readonly gaps: readonly unknown[];
  readonly reason: string;
}

test(
  'a Python client made from the contract reads what JSON rendering shows',
  { skip: hasGrpc ? false : 'no python3-grpcio here' },
  () =>
    withApp(async ({ client, socketPath }) => {
      const filter = 'evt.type in (openat, close, execve)';
      const { stdout, stderr } = await run(
        PYTHON,
        [
          SCRIPT,
          '--target',
          `unix:${socketPath}`,
          '--contract',
          CONTRACT,
          '--fields',
          FIELDS.join(','),
          '--filter',
          filter,
        ],
        { maxBuffer: 64 * 1024 * 1024 },
      );
      const expected: unknown[] = [];
      const request = {
        fields: FIELDS,
        filters: [{ name: '', condition: filter }],
        rendering: Rendering.JSON,
      };
      for await (const event of client.streamEvents(request)) {
        expected.push(JSON.parse(event.line?.toString() ?? 'null'));
      }
      const rows: unknown[] = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.ok(rows.length > 100);
      assert.deepEqual(rows, expected);
      const summary = JSON.parse(stderr) as Summary;
      assert.equal(summary.events, rows.length);
      assert.equal(summary.matched, rows.length);
      assert.deepEqual(summary.gaps, []);
      assert.equal(summary.reason, 'END_REASON_CAPTURE_END');
    }),
);

test(
  'a Python client reads what becomes known of events later, or waits for it',
  { skip: hasGrpc ? false : 'no python3-grpcio here' },
  (t) =>
    withApp(
      async ({ socketPath }) => {
        const read = async (delivery: string) => {
          const { stdout } = await run(PYTHON, [
            SCRIPT,
            '--target',
            `unix:${socketPath}`,
            '--contract',
            CONTRACT,
            '--fields',
            'container.name',
            '--filter',
            'proc.name = first',
            '--delivery',
            delivery,
          ]);
          return stdout
            .trimEnd()
            .split('\n')
            .map((line): unknown => JSON.parse(line));
        };
        const late = (sequence: number) => ({
          completion: {
            sequence,
            outcome: 'COMPLETION_OUTCOME_COMPLETE',
            values: { 'container.name': 'name-a' },
          },
        });
        const row = (name: string | null) => ({ 'container.name': name });
        assert.deepEqual(await read('immediate'), [row(null), row(null), late(0), late(1), row('name-a')]);
        assert.deepEqual(await read('complete'), [row('name-a'), row('name-a'), row('name-a')]);
      },
      { capture: lateCapture(t) },
    ),
);
