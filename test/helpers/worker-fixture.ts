/** Inspectors on threads of their own, over a capture built for one test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { configWith } from '../../server/config/config.ts';
import type { WorkerConfig } from '../../server/inspector/protocol.ts';
import type { WorkerInspector } from '../../server/inspector/worker-inspector.ts';
import { liveOptions } from '../../server/live-config.ts';
import { ScapBuilder } from './scap-builder.ts';
import { threadRow } from './scap-rows.ts';

/** A capture of close events, numbered from 1. */
export function closesCapture(count: number): Buffer {
  const builder = new ScapBuilder().machine().threads([threadRow()]);
  for (let i = 0; i < count; i++) builder.event('PPME_SYSCALL_CLOSE_X', [0, i]);
  return builder.bytes();
}

/** Puts the bytes into a file that the end of the test removes. */
export function writeCapture(t: TestContext, bytes: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'strata-worker-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'test.scap');
  writeFileSync(path, bytes);
  return path;
}

export function workerConfig(capturePath: string, config: Partial<WorkerConfig> = {}): WorkerConfig {
  return {
    engine: 'savefile',
    capturePath,
    live: liveOptions(configWith({})),
    captureName: 'test.scap',
    nodeName: 'node-1',
    speed: 0,
    waitSubscribers: 1,
    retainEvents: 16,
    retainBytes: 65_536,
    blockBytesMax: 1_000_000,
    threadsMax: 100,
    fdsPerProcessMax: 100,
    usersMax: 100,
    containersMax: 100,
    podsMax: 100,
    containers: {
      isAsked: false,
      lookupMs: 1000,
      lingerMs: 1000,
      holdMs: 500,
      holdEventsMax: 1000,
      holdBytesMax: 1_000_000,
    },
    ...config,
  };
}

/** Ends the thread behind an inspector's back. */
export async function killThread(inspector: WorkerInspector): Promise<void> {
  await (Reflect.get(inspector, 'worker') as Worker).terminate();
}
