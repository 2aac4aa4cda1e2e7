import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatStatus } from '../../../client/cli/commands/status.ts';
import {
  ContainerStatus,
  GetStatusResponse,
  RuntimeStatus,
} from '../../../proto/gen/strata/v1/node_service.ts';
import { runtimeStatusMessage } from '../../../server/rpc/container-status.ts';

const COLORS = { colors: { bold: (text: string) => text, dim: (text: string) => text } } as never;

test('the status shows runtimes, why one is degraded, and how well events of containers are enriched', () => {
  const status = GetStatusResponse.fromPartial({
    containers: ContainerStatus.fromPartial({
      eventCount: 2000n,
      completeEventCount: 1999n,
      hitRate: 0.9995,
      prefetchedCount: 12n,
      lookupFailedCount: 3n,
      heldEventCount: 5n,
      releasedIncompleteCount: 2n,
      releasedIncompleteByCause: [{ cause: 'expired', count: 2n }],
    }),
    runtimes: [
      runtimeStatusMessage({
        kind: 'docker',
        socketPath: '/run/docker.sock',
        state: 'ready',
        version: 'Docker 20.10.24',
        error: '',
        containerCount: 7,
        callCount: 30,
        callFailureCount: 0,
        callTimeoutCount: 0,
        eventCount: 44,
        reconnectCount: 1,
        isWatching: true,
      }),
      RuntimeStatus.fromPartial({
        kind: 'podman',
        socketPath: '/run/podman.sock',
        runtimeState: 3,
        error: 'no answer in 5000 ms',
      }),
    ],
  });
  const text = formatStatus(status, COLORS);
  assert.match(text, /container events: +2,000, 99\.95 % complete at once\n/);
  assert.match(text, /containers: +12 known beforehand, 3 not found\n/);
  assert.match(text, /delivery: +5 events held, 2 sent without \(expired 2\)\n/);
  assert.match(text, /podman is degraded: +no answer in 5000 ms\n/);
  assert.match(text, /Docker 20\.10\.24 +ready +7 +30 +0 +0 +44 +1 +docker \/run\/docker\.sock/);
  assert.match(text, /podman +degraded +0 +0 +0 +0 +0 \(off\) +0 +podman \/run\/podman\.sock/);
});

test('a server without containers says nothing about them', () => {
  const text = formatStatus(GetStatusResponse.fromPartial({ containers: {} }), COLORS);
  assert.doesNotMatch(text, /container|delivery|RUNTIME/);
});
