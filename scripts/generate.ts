/**
 * Writes every generated file, or with `--check` compares them with what is committed and fails on a difference.
 *
 * A new generator is one more entry in `GENERATED`.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiDoc } from './generate-api-doc.ts';
import { cliDoc } from './generate-cli-doc.ts';
import { configDoc } from './generate-config-doc.ts';
import { eventTypesSource } from './generate-event-types.ts';
import { fieldsDoc } from './generate-fields-doc.ts';
import { listFiles, protoFolder } from './generate-proto.ts';
import { syscallsDoc } from './generate-syscalls-doc.ts';
import type { GeneratedFile } from './generated-file.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

const GENERATED: readonly GeneratedFile[] = [
  { path: 'server/event/event-types.ts', produce: () => eventTypesSource(ROOT) },
  { path: 'docs/api.md', produce: () => apiDoc(ROOT) },
  { path: 'docs/cli.md', produce: cliDoc },
  { path: 'docs/config.md', produce: configDoc },
  { path: 'docs/fields.md', produce: fieldsDoc },
  { path: 'docs/syscalls.md', produce: syscallsDoc },
];

function readCommitted(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Paths that differ from what their generator makes, or that no generator makes any more. */
async function run(write: boolean): Promise<string[]> {
  const proto = protoFolder(ROOT);
  const differing: string[] = [];
  for (const file of [...GENERATED, ...proto.files]) {
    const path = join(ROOT, file.path);
    const content = Buffer.from(await file.produce());
    if (readCommitted(path)?.equals(content)) continue;
    differing.push(file.path);
    if (!write) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  const known = new Set(proto.files.map((file) => file.path));
  for (const path of listFiles(join(ROOT, proto.folder))) {
    const name = relative(ROOT, path);
    if (known.has(name)) continue;
    differing.push(name);
    if (write) rmSync(path);
  }
  return differing;
}

const isCheck = process.argv.includes('--check');
const differing = await run(!isCheck);
for (const path of differing) console.log(`${isCheck ? 'out of date' : 'wrote'}: ${path}`);
if (isCheck && differing.length > 0) {
  console.error('Generated files differ from their sources: run `npm run generate` and commit the result.');
  process.exitCode = 1;
}
