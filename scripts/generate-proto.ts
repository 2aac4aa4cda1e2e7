/** Runs the protobuf plugin over proto/ and yields the TypeScript of every message and service. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { GeneratedFile, GeneratedFolder } from './generated-file.ts';

/** Where the generated code is committed. */
const PROTO_FOLDER = 'proto/gen';
/** The compiled contract, which the server answers reflection from. */
const DESCRIPTOR_SET = `${PROTO_FOLDER}/descriptor-set.binpb`;

/** Generates into a temporary folder; the work tree stays untouched. Throws when the contract does not compile. */
export function protoFolder(root: string): GeneratedFolder {
  const out = mkdtempSync(join(tmpdir(), 'strata-proto-'));
  try {
    runBuf(root, ['generate', '--output', out]);
    runBuf(root, [
      'build',
      'proto',
      '--as-file-descriptor-set',
      '--exclude-source-info',
      '--output',
      join(out, DESCRIPTOR_SET),
    ]);
    return { folder: PROTO_FOLDER, files: listFiles(out).map((path) => readBack(out, path)) };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function runBuf(root: string, args: readonly string[]): void {
  const bin = join(root, 'node_modules/.bin');
  execFileSync(join(bin, 'buf'), args, {
    cwd: root,
    env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function readBack(out: string, path: string): GeneratedFile {
  // Read now: the folder is gone when `produce` is called.
  const content = readFileSync(path);
  return { path: relative(out, path), produce: () => content };
}

/** Paths of all files below a folder, sorted; none when the folder is absent. */
export function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
