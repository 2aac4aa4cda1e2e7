/** The direction of connections that were there before anyone watched. */
import { FD_FLAG_ROLE_CLIENT, FD_FLAG_ROLE_SERVER, FD_IPV4_SOCK, type FdInfo } from '../state/fd-info.ts';
import { tupleText } from '../state/socket-text.ts';
import { swapEndpoints } from './socket-endpoints.ts';

/**
 * The source lists connections from the process's side. Where its own port is one the node listens on, it is the server:
 * the connection is turned to run from client to server.
 */
export function directSocket(fd: FdInfo, serverPorts: ReadonlySet<number>): void {
  if (fd.type !== FD_IPV4_SOCK) return;
  if (!serverPorts.has(fd.sport)) {
    fd.flags = (fd.flags & ~FD_FLAG_ROLE_SERVER) | FD_FLAG_ROLE_CLIENT;
    return;
  }
  swapEndpoints(fd);
  fd.name = tupleText(fd.sip, fd.sport, fd.dip, fd.dport);
  fd.flags = (fd.flags & ~FD_FLAG_ROLE_CLIENT) | FD_FLAG_ROLE_SERVER;
}
