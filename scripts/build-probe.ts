/**
 * Builds the blobs of live capture from server/capture/ebpf/probe: `node scripts/build-probe.ts [--check] [NAME...]`.
 * Needs clang, llvm-strip and bpftool (Debian 12: clang, llvm, bpftool, libbpf-dev). With `--check` it builds and compares with
 * what is committed. The result depends on the sources and the tools' versions only, not on the place or the time.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { widenLoaderStack } from './loader-stack.ts';
import { parseSkeletonHeader } from './skeleton-header.ts';

const ROOT = join(import.meta.dirname, '..');
const PROBE = join(ROOT, 'server/capture/ebpf/probe');
const BLOB = join(ROOT, 'server/capture/ebpf/blob');
/** Architectures by Node's name and by that of the kernel's sources. */
const ARCHES = [
  ['x64', 'x86'],
  ['arm64', 'arm64'],
] as const;
const LINE_WIDTH = 110;
const TOOLS = ['clang', 'llvm-strip', 'bpftool'];
const HEADER_FOLDERS = ['/usr/include/x86_64-linux-gnu', '/usr/include/aarch64-linux-gnu'];

interface Built {
  readonly file: string;
  readonly bytes: Buffer;
}

function requireTools(): void {
  const missing = TOOLS.filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
  if (missing.length === 0 && existsSync('/usr/include/bpf/bpf_helpers.h')) return;
  const what = missing.length === 0 ? 'the headers of libbpf' : missing.join(', ');
  console.error(`build-probe: ${what} not found; on Debian: apt-get install clang llvm bpftool libbpf-dev`);
  process.exit(2);
}

/** SHA-256 over name and content of the source and every header of the probe folder that it includes. */
function sourcesHash(source: string, flags: readonly string[]): string {
  const rule = execFileSync('clang', [...flags, '-MM', source], { cwd: PROBE, encoding: 'utf8' });
  const files = rule.replaceAll('\\\n', ' ').split(/\s+/).slice(1).filter(Boolean);
  const names = [...new Set(files.map((file) => basename(file)))].sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${name}\n`).update(readFileSync(join(PROBE, name)));
  return hash.digest('hex');
}

function build(source: string, arch: string, target: string, folder: string): Built[] {
  const name = source.replace('.bpf.c', '');
  const include = HEADER_FOLDERS.find((path) => existsSync(path)) ?? '/usr/include';
  const flags = ['-O2', '-g', '-target', 'bpf', `-D__TARGET_ARCH_${target}`, `-I${include}`];
  const warnings = ['-Wall', '-Wno-unused-function', '-Werror'];
  const object = join(folder, `${name}.o`);
  const stripped = join(folder, `${name}.s.o`);
  // No path of this machine may get into the line information.
  const reproducible = ['-fdebug-compilation-dir=.', `-ffile-prefix-map=${PROBE}=.`];
  execFileSync('clang', [...flags, ...warnings, ...reproducible, '-c', source, '-o', object], {
    cwd: PROBE,
    stdio: 'inherit',
  });
  execFileSync('llvm-strip', ['-g', '-o', stripped, object]);
  const header = execFileSync('bpftool', ['gen', 'skeleton', '-L', stripped], {
    encoding: 'latin1',
    maxBuffer: 256 * 1024 * 1024,
  });
  const skeleton = parseSkeletonHeader(header);
  const insns = widenLoaderStack(skeleton.insns);
  const manifest = {
    name,
    arch,
    dataBytes: skeleton.data.length,
    insnBytes: insns.length,
    maps: skeleton.maps,
    programs: skeleton.programs,
    sources: sourcesHash(source, flags),
  };
  return [
    {
      file: `${name}-${arch}.bin`,
      bytes: Buffer.concat([prefixed(skeleton.data), prefixed(insns)]),
    },
    { file: `${name}-${arch}.json`, bytes: Buffer.from(manifestText(manifest)) },
  ];
}

/** As the formatter leaves it: a list of names on one line when it fits. */
function manifestText(manifest: object): string {
  const text = JSON.stringify(manifest, null, 2);
  const collapsed = text.replace(/^( *"\w+": )\[\n([^\]{]*)\n *\](,?)$/gm, (whole, key, items, comma) => {
    const line = `${key}[${items.trim().replaceAll(/,\n */g, ', ')}]${comma}`;
    return line.length <= LINE_WIDTH ? line : whole;
  });
  return `${collapsed}\n`;
}

function prefixed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function isSame(built: Built): boolean {
  const path = join(BLOB, built.file);
  return existsSync(path) && readFileSync(path).equals(built.bytes);
}

function main(args: readonly string[]): number {
  const isCheck = args.includes('--check');
  const wanted = args.filter((arg) => !arg.startsWith('--'));
  requireTools();
  const folder = mkdtempSync(join(tmpdir(), 'build-probe-'));
  const sources = readdirSync(PROBE).filter((file) => file.endsWith('.bpf.c'));
  const stale: string[] = [];
  try {
    for (const source of sources.sort()) {
      if (wanted.length > 0 && !wanted.includes(source.replace('.bpf.c', ''))) continue;
      for (const [arch, target] of ARCHES) {
        for (const built of build(source, arch, target, folder)) {
          if (isSame(built)) continue;
          stale.push(built.file);
          if (isCheck) continue;
          mkdirSync(BLOB, { recursive: true });
          writeFileSync(join(BLOB, built.file), built.bytes);
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (!isCheck) {
    console.log(
      stale.length === 0 ? 'build-probe: nothing changed' : `build-probe: wrote ${stale.join(', ')}`,
    );
    return 0;
  }
  if (stale.length === 0) return 0;
  console.error(`build-probe: ${stale.join(', ')} is not what the sources give; run \`npm run build:probe\``);
  return 1;
}

process.exitCode = main(process.argv.slice(2));
