/** Rows of the tables from entries of an initial state, whoever gathered it: a capture file, procfs or kernel iterators. */
import { CL_ACTIVE } from '../event/flag-tables.ts';
import type { FdEntry, ThreadEntry } from '../event/snapshot.ts';
import {
  FD_FLAG_FROM_PROC,
  FD_FLAG_ROLE_CLIENT,
  FD_FLAG_ROLE_SERVER,
  FD_FLAG_SOCKET_CONNECTED,
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_IPV6_SERVSOCK,
  FD_IPV6_SOCK,
  FD_PIDFD,
  FD_UNIX_SOCK,
  FD_UNKNOWN,
  FdInfo,
  L4_TCP,
} from '../state/fd-info.ts';
import type { InterfaceTable } from '../state/interface-table.ts';
import { isMappedIpv4 } from '../state/ip-address.ts';
import { endpointText, tupleText } from '../state/socket-text.ts';
import type { ThreadInfo } from '../state/thread-info.ts';
import type { ThreadTable } from '../state/thread-table.ts';
import type { CgroupCache } from './cgroup-cache.ts';
import { cwdFrom } from './directory-events.ts';
import { completeEndpoints } from './socket-endpoints.ts';
import { exepathOf, splitItems } from './thread-params.ts';

/** A thread's row, not in the table yet and not linked. */
export function threadFromEntry(threads: ThreadTable, cgroups: CgroupCache, entry: ThreadEntry): ThreadInfo {
  const row = threads.newThread(entry.tid, entry.pid);
  row.ptid = entry.ptid;
  row.sid = entry.sid;
  row.vpgid = entry.vpgid;
  row.pgid = entry.pgid;
  row.vtid = entry.vtid;
  row.vpid = entry.vpid;
  row.comm = entry.comm;
  row.exe = entry.exe;
  row.exepath = exepathOf(entry.exepath);
  row.args = splitItems(entry.args);
  if (row.isMain()) {
    row.env = splitItems(entry.env);
    row.cwd = cwdFrom('', entry.cwd);
  }
  row.flags = entry.flags | CL_ACTIVE;
  row.root = entry.root;
  row.uid = entry.uid;
  row.gid = entry.gid;
  row.loginuid = entry.loginuid;
  row.fdlimit = entry.fdlimit;
  row.tty = entry.tty;
  row.vmsizeKb = entry.vmsizeKb;
  row.vmrssKb = entry.vmrssKb;
  row.vmswapKb = entry.vmswapKb;
  row.pfmajor = entry.pfmajor;
  row.pfminor = entry.pfminor;
  row.pidnsInitStartNs = entry.pidnsInitStartNs;
  row.capInheritable = entry.capInheritable;
  row.capPermitted = entry.capPermitted;
  row.capEffective = entry.capEffective;
  row.exeIno = entry.exeIno;
  row.exeInoCtimeNs = entry.exeInoCtimeNs;
  row.exeInoMtimeNs = entry.exeInoMtimeNs;
  row.exeWritable = entry.exeWritable;
  row.exeUpperLayer = entry.exeUpperLayer;
  row.exeLowerLayer = entry.exeLowerLayer;
  row.exeFromMemfd = entry.exeFromMemfd;
  row.cloneTsNs = entry.startTsNs ?? 0n;
  cgroups.assign(row, entry.cgroups);
  return row;
}

/** An fd's row with its name; undefined for kinds that say nothing. */
export function fdFromEntry(entry: FdEntry, interfaces: InterfaceTable): FdInfo | undefined {
  if (entry.type === FD_UNKNOWN || entry.type > FD_PIDFD) return undefined;
  const row = new FdInfo(entry.type);
  row.flags = FD_FLAG_FROM_PROC;
  row.ino = entry.ino;
  row.openFlags = entry.openFlags;
  row.mountId = entry.mountId;
  row.dev = entry.dev;
  row.name = entry.name;
  switch (entry.type) {
    case FD_IPV4_SOCK:
    case FD_IPV6_SOCK:
      fillSocket(row, entry, interfaces);
      break;
    case FD_IPV4_SERVSOCK:
    case FD_IPV6_SERVSOCK:
      row.dip = entry.dip;
      row.dport = entry.dport;
      row.l4proto = entry.l4proto;
      row.name = endpointText(entry.dip, entry.dport);
      break;
    case FD_UNIX_SOCK:
      row.unixSource = entry.unixSource;
      row.unixPeer = entry.unixPeer;
      row.flags |= entry.name === '' ? FD_FLAG_ROLE_CLIENT : FD_FLAG_ROLE_SERVER;
      break;
    default:
      break;
  }
  return row;
}

function fillSocket(row: FdInfo, entry: FdEntry, interfaces: InterfaceTable): void {
  const wrapsIpv4 = row.type === FD_IPV6_SOCK && isMappedIpv4(entry.sip) && isMappedIpv4(entry.dip);
  if (wrapsIpv4) row.type = FD_IPV4_SOCK;
  row.sip = wrapsIpv4 ? entry.sip.slice(12) : entry.sip;
  row.dip = wrapsIpv4 ? entry.dip.slice(12) : entry.dip;
  row.sport = entry.sport;
  row.dport = entry.dport;
  row.l4proto = entry.l4proto;
  if (entry.l4proto === L4_TCP) row.flags |= FD_FLAG_SOCKET_CONNECTED;
  if (row.type === FD_IPV4_SOCK) completeEndpoints(row, interfaces);
  row.name = tupleText(row.sip, row.sport, row.dip, row.dport);
}
