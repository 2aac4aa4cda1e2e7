/** A process whose thread waits for a ring when it ends: `node waiting-thread.ts exit|terminate`. */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { keepLibcLoaded } from '../../server/capture/ebpf/libc.ts';
import { RingWaiter } from '../../server/capture/ebpf/ring-waiter.ts';

if (isMainThread) {
  keepLibcLoaded();
  const worker = new Worker(new URL(import.meta.url));
  worker.once('message', async () => {
    if (process.argv[2] === 'terminate') await worker.terminate();
    process.exit(0);
  });
} else {
  const waiter = new RingWaiter([], new BigUint64Array(1), 60_000);
  parentPort?.postMessage('waiting');
  await waiter.wait(() => false);
}
