/** Takes the initial state and keeps nothing of it. */
import type { SnapshotSink } from '../../../server/event/snapshot.ts';

const ignore = (): void => {};

export const IGNORING_SINK: SnapshotSink = {
  onMachine: ignore,
  onInterfaces: ignore,
  onUser: ignore,
  onGroup: ignore,
  onThread: ignore,
  onFds: ignore,
};
