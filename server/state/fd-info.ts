/** One open file descriptor of a process. */
import type { Integer } from '../event/u64.ts';

/** Kinds of fd, numbered as in the capture file's fd blocks. */
export const FD_UNKNOWN = 0;
export const FD_FILE = 1;
export const FD_DIRECTORY = 2;
export const FD_IPV4_SOCK = 3;
export const FD_IPV6_SOCK = 4;
export const FD_IPV4_SERVSOCK = 5;
export const FD_IPV6_SERVSOCK = 6;
export const FD_FIFO = 7;
export const FD_UNIX_SOCK = 8;
export const FD_EVENT = 9;
export const FD_UNSUPPORTED = 10;
export const FD_SIGNALFD = 11;
export const FD_EVENTPOLL = 12;
export const FD_INOTIFY = 13;
export const FD_TIMERFD = 14;
export const FD_NETLINK = 15;
export const FD_FILE_V2 = 16;
export const FD_BPF = 17;
export const FD_USERFAULTFD = 18;
export const FD_IOURING = 19;
export const FD_MEMFD = 20;
export const FD_PIDFD = 21;

/** Transport protocols, numbered as in the capture file. */
export const L4_UNKNOWN = 0;
export const L4_NA = 1;
export const L4_TCP = 2;
export const L4_UDP = 3;
export const L4_ICMP = 4;
export const L4_RAW = 5;

/** Open flag (PPM_O_CLOEXEC) of an fd that is closed when its process executes another program. */
export const O_CLOEXEC = 1 << 12;

/** State bits of an fd (`FdInfo.flags`). */
export const FD_FLAG_FROM_PROC = 1;
export const FD_FLAG_ROLE_CLIENT = 2;
export const FD_FLAG_ROLE_SERVER = 4;
export const FD_FLAG_SOCKET_CONNECTED = 128;
export const FD_FLAG_CONNECTION_PENDING = 512;
export const FD_FLAG_CONNECTION_FAILED = 1024;
export const FD_FLAG_OVERLAY_UPPER = 2048;
export const FD_FLAG_OVERLAY_LOWER = 4096;

export class FdInfo {
  /** One of FD_*. */
  type: number;
  /** PPM_O_* bits the file was opened with; 0 when unknown. */
  openFlags: number;
  /** Absolute path, socket tuple or kind-specific text (binary string). */
  name: string;
  /** Path as the call gave it (binary string); '' when there was none. */
  rawName: string;
  /** `name` before the event now being parsed changed it. */
  oldName: string;
  /** Device number as the kernel encodes it; 0 when unknown. */
  dev: number;
  mountId: number;
  ino: Integer;
  /** Pid that opened the fd, for pidfds the process referred to; 0 when unknown. */
  pid: number;
  /** Set of FD_FLAG_*. */
  flags: number;
  /** Source (client) address in network byte order: 4 or 16 bytes as a binary string, '' when none. A bound server's address is in `dip`. */
  sip: string;
  dip: string;
  sport: number;
  dport: number;
  /** One of L4_*. */
  l4proto: number;
  /** Kernel pointers of a unix socket pair. */
  unixSource: Integer;
  unixPeer: Integer;

  constructor(type: number) {
    this.type = type;
    this.openFlags = 0;
    this.name = '';
    this.rawName = '';
    this.oldName = '';
    this.dev = 0;
    this.mountId = 0;
    this.ino = 0;
    this.pid = 0;
    this.flags = 0;
    this.sip = '';
    this.dip = '';
    this.sport = 0;
    this.dport = 0;
    this.l4proto = L4_UNKNOWN;
    this.unixSource = 0;
    this.unixPeer = 0;
  }

  copy(): FdInfo {
    const copy = new FdInfo(this.type);
    copy.openFlags = this.openFlags;
    copy.name = this.name;
    copy.rawName = this.rawName;
    copy.oldName = this.oldName;
    copy.dev = this.dev;
    copy.mountId = this.mountId;
    copy.ino = this.ino;
    copy.pid = this.pid;
    copy.flags = this.flags;
    copy.sip = this.sip;
    copy.dip = this.dip;
    copy.sport = this.sport;
    copy.dport = this.dport;
    copy.l4proto = this.l4proto;
    copy.unixSource = this.unixSource;
    copy.unixPeer = this.unixPeer;
    return copy;
  }

  isFile(): boolean {
    return this.type === FD_FILE || this.type === FD_FILE_V2;
  }

  isDirectory(): boolean {
    return this.type === FD_DIRECTORY;
  }

  isUnixSocket(): boolean {
    return this.type === FD_UNIX_SOCK;
  }
}
