/** Facts of mounts from /proc/PID/mountinfo: device numbers by mount id, the cgroup hierarchy, layers of overlay file systems. */
import { readText } from './proc-files.ts';

export interface MountRow {
  readonly id: number;
  /** Device number as user space encodes it. */
  readonly dev: number;
  readonly mountPoint: string;
  readonly type: string;
  readonly isReadOnly: boolean;
  /** Options of the file system itself. */
  readonly options: string;
}

/** Major and minor in the form of stat(2)'s st_dev. */
export function encodeDev(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** Spaces, tabs, newlines and backslashes come as octal escapes. */
function unescaped(text: string): string {
  return text.includes('\\')
    ? text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 8)),
      )
    : text;
}

export function parseMountInfo(text: string): MountRow[] {
  const rows: MountRow[] = [];
  for (const line of text.split('\n')) {
    const dash = line.indexOf(' - ');
    if (dash < 0) continue;
    const [id, , device, , mountPoint] = line.slice(0, dash).split(' ');
    const [type, , options] = line.slice(dash + 3).split(' ');
    const [major, minor] = (device ?? '').split(':').map(Number);
    if (!Number.isSafeInteger(Number(id)) || major === undefined || minor === undefined) continue;
    if (Number.isNaN(major) || Number.isNaN(minor)) continue;
    rows.push({
      id: Number(id),
      dev: encodeDev(major, minor),
      mountPoint: unescaped(mountPoint ?? ''),
      type: type ?? '',
      isReadOnly: (options ?? '').split(',').includes('ro'),
      options: unescaped(options ?? ''),
    });
  }
  return rows;
}

/** Mount tables read during a snapshot, each namespace's when one of its mounts is first asked for. Mount ids are unique over all. */
export class MountTable {
  private readonly rows: Map<number, MountRow | undefined>;
  private readonly devices: Map<number, MountRow | undefined>;
  private readonly mountsMax: number;

  constructor(mountsMax = 100_000) {
    this.rows = new Map();
    this.devices = new Map();
    this.mountsMax = mountsMax;
  }

  /** The mount with this id, as the process at `procDir` sees it; undefined when it is detached or out of its sight. */
  find(mountId: number, procDir: string): MountRow | undefined {
    if (this.rows.has(mountId)) return this.rows.get(mountId);
    this.read(procDir);
    if (!this.rows.has(mountId)) this.rows.set(mountId, undefined);
    return this.rows.get(mountId);
  }

  /** A mount of the device, as the process at `procDir` sees it. */
  findByDev(dev: number, procDir: string): MountRow | undefined {
    if (this.devices.has(dev)) return this.devices.get(dev);
    this.read(procDir);
    if (!this.devices.has(dev)) this.devices.set(dev, undefined);
    return this.devices.get(dev);
  }

  private read(procDir: string): void {
    for (const row of parseMountInfo(readText(`${procDir}/mountinfo`) ?? '')) {
      if (this.rows.size >= this.mountsMax) {
        this.rows.clear();
        this.devices.clear();
      }
      this.rows.set(row.id, row);
      this.devices.set(row.dev, row);
    }
  }
}
