/** The programs under client/examples, run as their heads say. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withApp } from '../helpers/app-fixture.ts';

const run = promisify(execFile);
/** The system's own Python: the gRPC module is a system package. */
const PYTHON = '/usr/bin/python3';
const hasPython = spawnSync(PYTHON, ['-c', 'import grpc, google.protobuf']).status === 0;

function example(name: string): string {
  return fileURLToPath(new URL(`../../client/examples/${name}`, import.meta.url));
}

describe('examples', () => {
  it('sensitive-reads.ts tells which filter matched and asks for more fields of the event', () =>
    withApp(async ({ socketPath }) => {
      const { stdout } = await run(process.execPath, [example('sensitive-reads.ts'), `unix:${socketPath}`]);
      assert.match(stdout, /^password hashes: demouser ran "cat \/etc\/shadow" from "sh -c .*": EACCES$/m);
      assert.match(stdout, /^home of root: demouser ran "ls \/root" from "sh -c .*": EACCES$/m);
    }));

  it('sensitive_reads.py reads JSON lines', { skip: hasPython ? false : 'no python3-grpcio here' }, () =>
    withApp(async ({ socketPath }) => {
      const { stdout } = await run(PYTHON, [example('sensitive_reads.py'), `unix:${socketPath}`]);
      assert.match(stdout, /^demouser ran "cat \/etc\/shadow" from "sh -c .*": EACCES$/m);
    }),
  );
});
