/** The real hub with the real clients over a node's fake runtimes: what it tells is kept, and what it says of the runtimes is at hand. */
import type { ContainerRequest, ContainerUpdate } from '../../server/container/container-update.ts';
import type { RuntimeOptions, RuntimeStatus } from '../../server/container/runtime/hub-types.ts';
import { RuntimeHub } from '../../server/container/runtime/runtime-hub.ts';
import { eventually } from './eventually.ts';
import type { FakeRuntimes } from './fake-runtimes.ts';

type Update<Kind extends ContainerUpdate['kind']> = Extract<ContainerUpdate, { readonly kind: Kind }>;

/** Updates kept; tests that make more look at counts only. */
const UPDATES_MAX = 100_000;

export class HubBench {
  readonly hub: RuntimeHub;
  readonly updates: ContainerUpdate[];
  updateCount: number;
  statusChanges: number;

  constructor(fakes: FakeRuntimes, options: Partial<RuntimeOptions> = {}) {
    this.updates = [];
    this.updateCount = 0;
    this.statusChanges = 0;
    this.hub = new RuntimeHub(
      {
        hostRoot: fakes.node.root,
        isEnabled: true,
        dockerSockets: undefined,
        podmanSockets: undefined,
        containerdSockets: undefined,
        criSockets: [],
        lookupTimeoutMs: 2000,
        callTimeoutMs: 500,
        ...options,
      },
      {
        onUpdates: (updates) => {
          this.updateCount += updates.length;
          if (this.updates.length < UPDATES_MAX) this.updates.push(...updates);
        },
        onStatusChanged: () => {
          this.statusChanges++;
        },
      },
    );
  }

  request(request: ContainerRequest): void {
    this.hub.onRequest(request);
  }

  status(kind: RuntimeStatus['kind']): RuntimeStatus | undefined {
    return this.hub.status().find((row) => row.kind === kind);
  }

  /** The last that was told of a container in one way. */
  last<Kind extends ContainerUpdate['kind']>(kind: Kind, fullId: string): Update<Kind> | undefined {
    return this.updates.findLast(
      (update): update is Update<Kind> => update.kind === kind && update.fullId === fullId,
    );
  }

  /** Waits until it has been told completely. */
  async found(fullId: string): Promise<Update<'found'>> {
    return eventually(`container ${fullId.slice(0, 12)}`, () => {
      const update = this.last('found', fullId);
      return update?.isComplete === true ? update : undefined;
    });
  }

  async state(kind: RuntimeStatus['kind'], state: RuntimeStatus['state']): Promise<RuntimeStatus> {
    const now = () => `${kind} ${state} (now ${JSON.stringify(this.status(kind))})`;
    return eventually(now, () => {
      const status = this.status(kind);
      return status?.state === state ? status : undefined;
    });
  }
}
