/** What the lab can do with the containers of a runtime, whichever it is. */

export type DriverKind = 'docker' | 'podman' | 'cri' | 'containerd';

export interface LabMount {
  readonly source: string;
  readonly target: string;
  readonly isReadOnly?: boolean;
}

export interface ContainerSpec {
  readonly name: string;
  readonly command: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly mounts?: readonly LabMount[];
  readonly isPrivileged?: boolean;
  /** User of the image to run as; root when not given. */
  readonly user?: string;
  /** `private`: with an address of its own, where the runtime of the lab can. Default `none`. */
  readonly network?: 'none' | 'private' | 'host';
  readonly isHostPid?: boolean;
  readonly isHostIpc?: boolean;
  /** Command of a health check, run every second. Docker only. */
  readonly healthCommand?: string;
  /** Pod to run in: Podman's by name, CRI's by sandbox id. CRI makes one when none is given. */
  readonly pod?: string;
  /** Let the runtime forget it when it ends, where the runtime can. */
  readonly isRemovedAtEnd?: boolean;
}

/** A container as a runtime lists it, for those who ask how soon it does. */
export interface ListedContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
}

export interface ContainerDriver {
  readonly kind: DriverKind;
  /** Socket that Strata is told. */
  readonly socketPath: string;
  /** Starts a container in the background; resolves to its full id when the runtime says that it has started. */
  start(spec: ContainerSpec): Promise<string>;
  /** Runs a command in a running container; resolves to its output. */
  exec(id: string, command: readonly string[]): Promise<string>;
  /** Ends and removes it; one that is gone already is no error. */
  remove(id: string): Promise<void>;
  /** What the runtime's own API or command says of it, as it is. */
  inspect(id: string): Promise<Record<string, unknown>>;
  /** Resolves when the runtime's API has told everything of it: some do not before the container has started. */
  query(id: string): Promise<void>;
  /** All containers by the runtime's fastest answer. */
  list(): Promise<readonly ListedContainer[]>;
}
