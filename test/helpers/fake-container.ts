/** Containers of fake runtimes: what a runtime knows of one, in no runtime's own words. */
import { createHash } from 'node:crypto';

export interface FakeMount {
  readonly source: string;
  readonly destination: string;
  readonly isWritable: boolean;
}

export interface FakeContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** 64 hex digits, without `sha256:`. */
  readonly imageId: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly env: readonly string[];
  readonly mounts: readonly FakeMount[];
  readonly isPrivileged: boolean;
  readonly ip: string;
  readonly createdMs: number;
  /** Words of a health check's command; none: there is no check. */
  readonly health: readonly string[];
  /** Pod it is part of; '' when none. */
  readonly podId: string;
  readonly podName: string;
  readonly podNamespace: string;
  readonly podUid: string;
  readonly isSandbox: boolean;
  state: 'created' | 'running' | 'exited';
  pid: number;
}

export const FAKE_IMAGE = 'localhost/t/busybox:1';

/** 64 hex digits that are the same for the same text. */
export function fakeId(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A container with a default for everything; its id follows from its name. */
export function fakeContainer(container: Partial<FakeContainer> & { readonly name: string }): FakeContainer {
  return {
    id: fakeId(container.name),
    image: FAKE_IMAGE,
    imageId: fakeId(FAKE_IMAGE),
    labels: { app: container.name },
    env: ['PATH=/bin', 'X=1'],
    mounts: [{ source: '/srv/data', destination: '/data', isWritable: false }],
    isPrivileged: false,
    ip: '172.17.0.2',
    createdMs: 1_795_486_327_666,
    health: [],
    podId: '',
    podName: '',
    podNamespace: '',
    podUid: '',
    isSandbox: false,
    state: 'running',
    pid: 4711,
    ...container,
  };
}
