/** The machine code is what its comment says. Nothing is run here: test/live/capabilities.test.ts does. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const SOURCE = readFileSync(
  new URL('../../../../server/capture/ebpf/thread-broadcast.ts', import.meta.url),
  'utf8',
);
const TABLE = '\n.balign 128\ntable:\n';

function missingTools(): string | false {
  const tools = ['clang', 'llvm-objcopy'];
  const missing = tools.filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
  if (missing.length === 0) return false;
  process.stderr.write(`SKIPPED: ${missing.join(', ')} not installed; the machine code is not compared\n`);
  return `${missing.join(', ')} not installed`;
}

/** The two columns of the comment. */
function listings(): { readonly x64: string; readonly arm64: string } {
  const comment = /\/\*\n \* x86_64:.*?\*\//s.exec(SOURCE)?.[0] ?? '';
  const lines = comment.split('\n').slice(2);
  const rows = lines.slice(
    0,
    lines.findIndex((line) => line.includes('and at offset')),
  );
  const x64 = rows.map((line) => line.slice(2, 45)).join('\n');
  const arm64 = rows.map((line) => line.slice(45)).join('\n');
  return { x64: `.intel_syntax noprefix\n${x64}`, arm64 };
}

function assemble(text: string, target: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'strata-code-'));
  try {
    const [source, object, binary] = ['code.s', 'code.o', 'code.bin'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(source, text + TABLE);
    const compiled = spawnSync('clang', ['-c', '-target', target, source, '-o', object], {
      encoding: 'utf8',
    });
    assert.equal(compiled.status, 0, compiled.stderr);
    assert.equal(spawnSync('llvm-objcopy', ['-O', 'binary', object, binary]).status, 0);
    return readFileSync(binary).toString('hex');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const [arch, target] of [
  ['x64', 'x86_64-linux-gnu'],
  ['arm64', 'aarch64-linux-gnu'],
] as const) {
  test(`the code for ${arch} is that of its listing`, { skip: missingTools() }, () => {
    const code = new RegExp(`  ${arch}: \\{\\s+code:\\s+'([0-9a-f]+)'`).exec(SOURCE)?.[1] ?? 'none';
    const assembled = assemble(listings()[arch], target);
    assert.equal(assembled.slice(0, code.length), code);
  });
}
