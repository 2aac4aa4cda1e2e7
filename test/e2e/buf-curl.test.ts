import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withApp } from '../helpers/app-fixture.ts';

const BUF = fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url));
const run = promisify(execFile);

/** Calls a method with a client that learns the contract by reflection. */
async function bufCurl(socketPath: string, method: string, request: object): Promise<string> {
  const { stdout } = await run(
    BUF,
    [
      'curl',
      '--unix-socket',
      socketPath,
      '--protocol',
      'grpc',
      '--http2-prior-knowledge',
      '--data',
      JSON.stringify(request),
      `http://localhost/${method}`,
    ],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  return stdout;
}

test('buf curl streams events by reflection alone', () =>
  withApp(async ({ socketPath }) => {
    const output = await bufCurl(socketPath, 'strata.v1.EventService/StreamEvents', {
      fields: ['evt.num', 'proc.name'],
      rendering: 'RENDERING_JSON',
      filters: [{ condition: 'evt.type = openat' }],
      eventsMax: 5,
    });
    // One JSON document after the other.
    const messages = output
      .trim()
      .split(/\n(?=\{)/)
      .map((text) => JSON.parse(text) as Record<string, { rendered?: string; reason?: string }>);
    assert.ok(messages[0]?.['started'] !== undefined);
    const lines = messages.flatMap(({ batch }) =>
      Buffer.from(batch?.rendered ?? '', 'base64')
        .toString()
        .split('\n')
        .filter(Boolean),
    );
    assert.equal(lines.length, 5);
    assert.deepEqual(Object.keys(JSON.parse(lines[0] ?? '{}')), ['evt.num', 'proc.name']);
    assert.equal(messages.at(-1)?.['ended']?.reason, 'END_REASON_EVENTS_MAX');
  }));

test('buf curl reads health, status and errors', () =>
  withApp(async ({ socketPath }) => {
    const health = await bufCurl(socketPath, 'grpc.health.v1.Health/Check', {
      service: 'strata.v1.EventService',
    });
    assert.deepEqual(JSON.parse(health), { status: 'SERVING' });
    const versions = await bufCurl(socketPath, 'strata.v1.NodeService/GetVersions', {});
    assert.equal((JSON.parse(versions) as { apiVersion: string }).apiVersion, 'strata.v1');
    await assert.rejects(
      bufCurl(socketPath, 'strata.v1.EventService/StreamEvents', { fields: ['proc.nam'] }),
      (error: { readonly stderr?: string }) => {
        assert.match(error.stderr ?? '', /invalid_argument/);
        assert.match(error.stderr ?? '', /proc\.nam/);
        return true;
      },
    );
  }));
