/** Benchmarks of the container layer on real runtimes: each prints lines of a table. They need what container tests need. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ContainerStream, isCompleted } from '../../containers/helpers/container-stream.ts';
import { HIT_CONDITION, HIT_FIELDS, hitReport, isFirstExec } from '../../containers/helpers/hit-report.ts';
import { percentiles } from '../../containers/helpers/percentiles.ts';
import { runtimesReady } from '../../containers/helpers/ready-server.ts';
import { runShortLived, type ShortLived } from '../../containers/helpers/short-lived.ts';
import type { DriverKind } from '../../containers/lab/container-driver.ts';
import { ContainerLab } from '../../containers/lab/container-lab.ts';
import { labRefusal } from '../../containers/lab/lab-permission.ts';
import { type LiveServer, withLiveServer } from '../../live/helpers/live-server.ts';
import { cpuSeconds } from '../live/cpu.ts';
import type { LiveBenchOptions, LiveCase } from '../live/live-cases.ts';

const KINDS: readonly DriverKind[] = ['docker', 'podman', 'cri', 'containerd'];
const COUNT = 75;
const QUICK_COUNT = 20;
const CONCURRENCY = 2;
const SETTLE_MS = 2000;
const IMAGE = /lab\/tools(:1)?$/;
/** What the container layer itself puts into the stream. */
const METADATA_CONDITION = 'evt.asynctype = container';
const METADATA_FIELDS = ['evt.rawtime', 'container.full_id', 'evt.arg.data'];

export const CONTAINER_CASES: readonly LiveCase[] = [
  {
    name: 'containers',
    description:
      'short-lived containers on every runtime: when they are known, hit rates, processor time, memory',
    run: benchContainers,
  },
];

async function benchContainers({ isQuick }: LiveBenchOptions): Promise<void> {
  const refusal = labRefusal();
  if (refusal !== undefined) {
    console.log(`skipped: ${refusal}`);
    return;
  }
  const count = isQuick ? QUICK_COUNT : COUNT;
  const lab = await ContainerLab.up({ kinds: KINDS });
  try {
    await withLiveServer(async (server) => {
      await runtimesReady(server, KINDS.length);
      for (const kind of KINDS) await benchKind(lab, server, kind, count);
      const { containers } = await server.client.getStatus();
      console.log(
        `by the server: hit rate ${((containers?.hitRate ?? 0) * 100).toFixed(2)} %, ${containers?.prefetchedCount} prefetched, ${containers?.lookupCount} looked up`,
      );
    }, lab.serverArgs());
    const asked = await costOf(lab, count, lab.serverArgs(), KINDS.length);
    const unasked = await costOf(lab, count, ['--containers', 'false'], 0);
    console.log(`${asked}, runtimes asked\n${unasked}, runtimes not asked`);
  } finally {
    await lab.down();
  }
}

async function benchKind(
  lab: ContainerLab,
  server: LiveServer,
  kind: DriverKind,
  count: number,
): Promise<void> {
  const driver = lab.drivers().find((candidate) => candidate.kind === kind);
  if (driver === undefined) return;
  const common = { condition: HIT_CONDITION, fields: [...HIT_FIELDS, 'evt.rawtime'] };
  const metadata = await ContainerStream.open(server.client, {
    condition: METADATA_CONDITION,
    fields: METADATA_FIELDS,
    isComplete: false,
  });
  const complete = await ContainerStream.open(server.client, { ...common, isComplete: true });
  const immediate = await ContainerStream.open(server.client, { ...common, isComplete: false });
  const ran = await runShortLived({ driver, count, concurrency: CONCURRENCY, prefix: 'bench' });
  await sleep(SETTLE_MS);
  await Promise.all([metadata.stop(), complete.stop(), immediate.stop()]);
  const hits = hitReport(complete, ran, IMAGE);
  const atOnce = hitReport(immediate, ran, IMAGE);
  const waits = immediate.events
    .filter((event) => event.isIncomplete && isCompleted(event))
    .map((event) => (event.completionMs as number) - event.arrivalMs);
  const leads = leadsMs(immediate, metadata, ran);
  const atOnceCount = atOnce.eventCount - atOnce.incompleteCount;
  console.log(
    [
      `${kind}: ${ran.length} containers, ${hits.eventCount} events`,
      `COMPLETE ${((100 * hits.hitCount) / hits.eventCount).toFixed(2)} %, first execs ${hits.firstExecHitCount} of ${hits.firstExecCount}`,
      `IMMEDIATE complete when sent ${((100 * atOnceCount) / atOnce.eventCount).toFixed(2)} %, the others after (ms) ${percentiles(waits)}`,
      `known before the first exec by (ms) ${percentiles(leads)}; after it ${leads.filter((lead) => lead < 0).length} of ${leads.length}`,
    ].join('\n  '),
  );
}

/** From the metadata's place in the stream to the first program's execve. Negative: it came too late. */
function leadsMs(stream: ContainerStream, metadata: ContainerStream, ran: readonly ShortLived[]): number[] {
  const leads: number[] = [];
  for (const container of ran) {
    const first = stream.events.find((event) => isFirstExec(stream, event, container));
    const known = metadata.events.find((event) =>
      String(metadata.value(event, 'evt.arg.data')).includes(`"${container.name}"`),
    );
    if (first === undefined || known === undefined) continue;
    const ns = BigInt(stream.value(first, 'evt.rawtime') as number | bigint);
    const knownNs = BigInt(metadata.value(known, 'evt.rawtime') as number | bigint);
    leads.push(Number(ns - knownNs) / 1e6);
  }
  return leads;
}

/** What a server takes for a load on every runtime, with a subscription that most of its events do not match. */
async function costOf(
  lab: ContainerLab,
  count: number,
  args: readonly string[],
  runtimeCount: number,
): Promise<string> {
  let text = '';
  await withLiveServer(async (server) => {
    await runtimesReady(server, runtimeCount);
    const stream = await ContainerStream.open(server.client, {
      condition: 'evt.type = execve and container.id != host',
      fields: ['container.name'],
      isComplete: false,
    });
    await sleep(SETTLE_MS);
    const before = cpuSeconds(server.pid);
    const startedMs = performance.now();
    const rssBefore = (await server.client.getStatus()).memoryRssBytes;
    for (const driver of lab.drivers())
      await runShortLived({ driver, count, concurrency: CONCURRENCY, prefix: 'cost' });
    const wall = (performance.now() - startedMs) / 1000;
    const cpu = cpuSeconds(server.pid) - before;
    const rss = (await server.client.getStatus()).memoryRssBytes;
    await stream.stop();
    const perContainer = (1000 * cpu) / (count * lab.drivers().length);
    text =
      `${count * lab.drivers().length} containers in ${wall.toFixed(0)} s: ${cpu.toFixed(2)} s of processor time ` +
      `(${perContainer.toFixed(1)} ms each), memory ${mib(rssBefore)} to ${mib(rss)} MiB`;
  }, args);
  return text;
}

function mib(bytes: bigint): string {
  return (Number(bytes) / 2 ** 20).toFixed(0);
}
