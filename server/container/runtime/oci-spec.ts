/** What is read of an OCI runtime spec: how a container was asked to run. */
import { posix } from 'node:path';
import type { ContainerMount } from '../../state/container-table.ts';
import { type JsonObject, listOf, objectOf, textOf } from '../container-json.ts';
import { itemsOf, objectAt, objectsOf } from './grpc-values.ts';

/** As the kernel limits paths. */
const PATH_CHARS_MAX = 4096;

const PROPAGATION_OPTION = /^r?(?:private|shared|slave|unbindable)$/;

export function ociEnv(spec: JsonObject): readonly string[] {
  return itemsOf(objectAt(spec, 'process')?.['env']).map(textOf);
}

export function ociMounts(spec: JsonObject): readonly ContainerMount[] {
  const rootPropagation = textOf(objectAt(spec, 'linux')?.['rootfsPropagation']);
  return itemsOf(spec['mounts']).flatMap((item) => {
    const mount = objectOf(item);
    if (mount === undefined) return [];
    const options = itemsOf(mount['options']).map(textOf);
    return [
      {
        source: textOf(mount['source']),
        destination: textOf(mount['destination']),
        mode: options.find((option) => option.startsWith('mode='))?.slice('mode='.length) ?? '',
        rdwr: !options.includes('ro'),
        propagation: options.find((option) => PROPAGATION_OPTION.test(option)) ?? rootPropagation,
      },
    ];
  });
}

/** Whether a namespace (`pid`, `network`, `ipc`) is the node's: then the list has none of this type. */
export function ociSharesHost(spec: JsonObject, type: string): boolean {
  const namespaces = objectAt(spec, 'linux')?.['namespaces'];
  return Array.isArray(namespaces) && !objectsOf(namespaces).some((one) => one['type'] === type);
}

/**
 * The spec has no such flag. Clients that run a container privileged leave out everything that shields the host from it; one of
 * these with few capabilities is not what is meant.
 */
export function ociIsPrivileged(spec: JsonObject): boolean {
  const process = objectAt(spec, 'process');
  const linux = objectAt(spec, 'linux');
  if (process === undefined || linux === undefined) return false;
  if (linux['maskedPaths'] != null || linux['readonlyPaths'] != null || linux['seccomp'] != null)
    return false;
  const profile = textOf(process['apparmorProfile']);
  if (textOf(process['selinuxLabel']) !== '' || (profile !== '' && profile !== 'unconfined')) return false;
  const systemMounts = objectsOf(spec['mounts']).filter(
    (mount) => mount['type'] === 'sysfs' || mount['type'] === 'cgroup',
  );
  if (systemMounts.some((mount) => listOf(mount['options']).includes('ro'))) return false;
  return listOf(objectAt(process, 'capabilities')?.['bounding']).includes('CAP_SYS_ADMIN');
}

/**
 * The cgroup as /proc/PID/cgroup shows it; '' when the spec does not say it. The form `slice:prefix:name` is for runtimes that let
 * systemd make it: a scope in the slice, which lies in those its name begins with.
 */
export function ociCgroupPath(spec: JsonObject): string {
  const path = textOf(objectAt(spec, 'linux')?.['cgroupsPath']);
  // Slices within slices are spelt out below, each with all above it: nothing longer can be the name of a cgroup anyway.
  if (path.length > PATH_CHARS_MAX) return '';
  // A relative one is beneath wherever the runtime itself ran.
  if (path.startsWith('/')) return path.length > 1 ? posix.normalize(path).replace(/\/$/, '') : '';
  const parts = path.split(':');
  const [slice, prefix, name] = parts;
  if (parts.length !== 3 || slice === undefined || prefix === undefined || !name) return '';
  const unit = name.endsWith('.slice') ? name : `${prefix === '' ? '' : `${prefix}-`}${name}.scope`;
  return `${slicePath(slice === '' ? 'system.slice' : slice)}/${unit}`;
}

/** `a-b.slice` -> `/a.slice/a-b.slice`; the root's `-.slice` -> ''. */
function slicePath(slice: string): string {
  if (slice === '-.slice' || !slice.endsWith('.slice')) return '';
  const words = slice.slice(0, -'.slice'.length).split('-');
  return words.map((_, i) => `/${words.slice(0, i + 1).join('-')}.slice`).join('');
}
