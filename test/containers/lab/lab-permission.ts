/** Whether real containers can be run here, and in words why not. Where they must run, a reason is a failure, not a skip. */
import { accessSync, constants, existsSync } from 'node:fs';
import { liveRefusal, missingCommand } from '../../live/helpers/live-permission.ts';

/** Set where these tests must run (CI as root): nothing is skipped then. */
const MUST_RUN = 'STRATA_REQUIRE_CONTAINERS';
export const LAB_COMMANDS = [
  'dockerd',
  'docker',
  'podman',
  'containerd',
  'ctr',
  'runc',
  'gcc',
  'busybox',
  'setpriv',
  'ip',
] as const;

/** Undefined when the lab can be up here. */
export function labRefusal(): string | undefined {
  const live = liveRefusal() ?? missingCommand(...LAB_COMMANDS);
  if (live !== undefined) return live;
  if (!existsSync('/sys/fs/cgroup')) return 'there is no cgroup file system';
  try {
    accessSync('/sys/fs/cgroup', constants.W_OK);
  } catch {
    return 'cgroups cannot be made here (/sys/fs/cgroup is not writable)';
  }
  return undefined;
}

/** Option of a test: runs, or skips saying why on standard error too. Throws where it may not skip. */
export function labOrSkip(): { skip: string | false } {
  const reason = labRefusal();
  if (reason === undefined) return { skip: false };
  if ((process.env[MUST_RUN] ?? '') !== '') throw new Error(`containers cannot be run here: ${reason}`);
  process.stderr.write(`CONTAINER TESTS SKIPPED: ${reason}\n`);
  return { skip: reason };
}
