import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CONFIG, SNAPLEN_MAX } from '../../../../server/capture/ebpf/probe-abi.ts';
import { cgroupKey, ownPid, writeConfig } from '../../../../server/capture/ebpf/probe-config.ts';
import type { LiveOptions } from '../../../../server/capture/live-options.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'strata-config-'));
after(() => rmSync(ROOT, { recursive: true }));
mkdirSync(join(ROOT, 'proc'), { recursive: true });
symlinkSync('4711', join(ROOT, 'proc/self'));
mkdirSync(join(ROOT, 'sys/fs/cgroup/system.slice/a.service'), { recursive: true });
writeFileSync(join(ROOT, 'sys/fs/cgroup/cgroup.procs'), '');

const OPTIONS: LiveOptions = {
  hostRoot: ROOT,
  ringBytes: 4096,
  ringCount: 0,
  reorderWindowUs: 0,
  snaplen: 80,
  argsBytesMax: 4096,
  captureSelf: false,
  suppressComms: [],
  suppressPids: [],
  suppressCgroups: [],
  pageFaults: false,
  contextSwitches: false,
  collectEnv: [],
  redactArgs: [],
  dropCapabilities: false,
  nodriverRefreshMs: 0,
  healBudget: 0,
  foreignSocket: '',
};

function write(options: Partial<LiveOptions> = {}): { config: Buffer; notes: string[] } {
  const config = Buffer.alloc(CONFIG.bytes);
  const notes = writeConfig(config, { ...OPTIONS, ...options }, 1_700_000_000_000_000_000n);
  return { config, notes };
}

test('our own pid is that of the node', () => {
  assert.equal(ownPid(ROOT), 4711);
  assert.equal(ownPid(''), process.pid);
});

test('this process and its children are left out unless asked for', () => {
  const { config } = write();
  assert.equal(config.readBigUInt64LE(CONFIG.bootEpochNs), 1_700_000_000_000_000_000n);
  assert.equal(config.readUInt32LE(CONFIG.selfCount), 1);
  assert.equal(config.readUInt32LE(CONFIG.selfTgids), 4711);
  assert.equal(config.readUInt32LE(CONFIG.selfTree), 1);
  assert.equal(write({ captureSelf: true }).config.readUInt32LE(CONFIG.selfCount), 0);
});

test('limits of the probe cap what is asked for', () => {
  const { config } = write({ snaplen: 1_000_000, argsBytesMax: 1_000_000 });
  assert.equal(config.readUInt32LE(CONFIG.snaplen), SNAPLEN_MAX);
  assert.equal(config.readUInt32LE(CONFIG.argsBytesMax), 32_767);
});

test('the environment is collected only when a name of it is wanted', () => {
  assert.equal(write().config.readUInt32LE(CONFIG.wantsEnv), 0);
  assert.equal(write({ collectEnv: ['PATH'] }).config.readUInt32LE(CONFIG.wantsEnv), 1);
});

test('names are cut as the kernel cuts them, and too many are told', () => {
  const { config, notes } = write({ suppressComms: ['a-name-of-20-letters', 'cat'] });
  assert.deepEqual(notes, []);
  assert.equal(config.readUInt32LE(CONFIG.commCount), 2);
  assert.equal(config.latin1Slice(CONFIG.comms, CONFIG.comms + 20), 'a-name-of-20-le\0cat\0');
  const many = write({ suppressComms: Array.from({ length: 17 }, (_, i) => `p${i}`) });
  assert.equal(many.config.readUInt32LE(CONFIG.commCount), 16);
  assert.match(many.notes.join(), /only 16 names/);
});

test('a cgroup is known by its id and depth', () => {
  const path = '/system.slice/a.service';
  const ino = statSync(join(ROOT, 'sys/fs/cgroup', path), { bigint: true }).ino;
  assert.deepEqual(cgroupKey(ROOT, path), { id: ino, level: 2 });
  const { config, notes } = write({ suppressCgroups: ['/not/there', path] });
  assert.equal(config.readUInt32LE(CONFIG.cgroupCount), 1);
  assert.equal(config.readBigUInt64LE(CONFIG.cgroups), ino);
  assert.equal(config.readUInt32LE(CONFIG.cgroups + 8), 2);
  assert.match(notes.join(), /\/not\/there is not suppressed/);
});
