import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { BpfError } from '../../../../server/capture/ebpf/bpf.ts';
import { capabilityNames, parseCapabilities } from '../../../../server/capture/ebpf/capabilities.ts';
import {
  type CheckedMachine,
  describeMissing,
  type MissingFeature,
  missingFeatures,
} from '../../../../server/capture/ebpf/feature-check.ts';
import { LibcMissing } from '../../../../server/capture/ebpf/libc.ts';

const EPERM = 1;
const ENOMEM = 12;
const EINVAL = 22;
const BPF_AND_PERFMON = '000000c000000000';

interface Files {
  readonly [path: string]: string;
}

const GOOD: Files = {
  '/sys/kernel/btf/vmlinux': '',
  '/sys/kernel/security/lockdown': '[none] integrity confidentiality\n',
  '/proc/self/status': `Name:\tnode\nCapEff:\t${BPF_AND_PERFMON}\nSeccomp:\t0\n`,
  '/proc/self/uid_map': '         0          0 4294967295\n',
};

function check(files: Files, machine: Partial<CheckedMachine> = {}): MissingFeature[] {
  const root = mkdtempSync(join(tmpdir(), 'strata-check-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return missingFeatures({
      root,
      platform: 'linux',
      arch: 'x64',
      release: '6.1.0-31-amd64',
      loadLibc: () => undefined,
      tryMaps: () => undefined,
      ...machine,
    });
  } finally {
    rmSync(root, { recursive: true });
  }
}

function kinds(missing: readonly MissingFeature[]): string[] {
  return missing.map(({ kind }) => kind);
}

function refuse(errno: number): () => void {
  return () => {
    throw new BpfError('bpf MAP_CREATE', errno);
  };
}

test('nothing is missing on a machine that has it all', () => {
  assert.deepEqual(check(GOOD), []);
});

test('CAP_SYS_ADMIN stands for both capabilities', () => {
  assert.deepEqual(check({ ...GOOD, '/proc/self/status': 'CapEff:\t0000000000200000\n' }), []);
});

test('everything that is missing is named at once', () => {
  const missing = check(
    { '/proc/self/status': 'CapEff:\t0000000000000000\n' },
    { arch: 'riscv64', release: '5.4.0' },
  );
  assert.deepEqual(kinds(missing), ['architecture', 'kernel', 'btf', 'capabilities']);
  const text = describeMissing(missing);
  for (const part of ['riscv64', '5.4.0', 'CONFIG_DEBUG_INFO_BTF', 'CAP_BPF and CAP_PERFMON']) {
    assert.ok(text.includes(part), text);
  }
});

test('a single missing capability is named alone', () => {
  const [missing] = check({ ...GOOD, '/proc/self/status': 'CapEff:\t0000008000000000\n' });
  assert.match(missing?.what ?? '', /lacks CAP_PERFMON$/);
});

test('lockdown hinders only in mode confidentiality', () => {
  const lockdown = (text: string) => check({ ...GOOD, '/sys/kernel/security/lockdown': text });
  assert.deepEqual(lockdown('none [integrity] confidentiality\n'), []);
  assert.deepEqual(kinds(lockdown('none integrity [confidentiality]\n')), ['lockdown']);
});

test('another system is told so and nothing else', () => {
  assert.deepEqual(kinds(check({}, { platform: 'darwin' })), ['platform']);
});

test('a missing koffi says how to install it', () => {
  const [missing] = check(GOOD, {
    loadLibc: () => {
      throw new LibcMissing('no native part');
    },
  });
  assert.equal(missing?.kind, 'koffi');
  assert.match(missing?.remedy ?? '', /npm ci/);
});

for (const [name, files, remedy] of [
  ['a seccomp filter', { '/proc/self/status': `CapEff:\t${BPF_AND_PERFMON}\nSeccomp:\t2\n` }, /seccomp/],
  ['a user namespace', { '/proc/self/uid_map': '0 100000 65536\n' }, /user namespace/],
  ['the sysctl', { '/proc/sys/kernel/unprivileged_bpf_disabled': '2\n' }, /unprivileged_bpf_disabled/],
  ['a security module', {}, /security module/],
] as const) {
  test(`a refusal in spite of the capabilities points to ${name}`, () => {
    const [missing] = check({ ...GOOD, ...files }, { tryMaps: refuse(EPERM) });
    assert.equal(missing?.kind, 'bpf-refused');
    assert.match(missing?.remedy ?? '', remedy);
  });
}

test('memory that is refused points to the rings', () => {
  assert.deepEqual(kinds(check(GOOD, { tryMaps: refuse(ENOMEM) })), ['memory']);
});

test('any other failure is told as it is', () => {
  const [missing] = check(GOOD, { tryMaps: refuse(EINVAL) });
  assert.equal(missing?.kind, 'programs');
  assert.match(missing?.what ?? '', /MAP_CREATE: EINVAL/);
});

test('capabilities are named', () => {
  const set = parseCapabilities('CapPrm:\t0000000000000000\nCapEff:\t0000020000080004\n', 'CapEff');
  assert.deepEqual(capabilityNames(set), ['CAP_DAC_READ_SEARCH', 'CAP_SYS_PTRACE', 'CAP_41']);
});
