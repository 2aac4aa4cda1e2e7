/** Which end of a connection is the local one. */
import {
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_IPV6_SERVSOCK,
  FD_IPV6_SOCK,
  type FdInfo,
} from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { ipv4Text, ZERO_IPV4, ZERO_IPV6 } from '../state/ip-address.ts';
import { hasNoRole } from './fd-kinds.ts';

/** Whether the address is one of the machine's interfaces, or of the container the event's thread lives in. */
function isLocalAddress(address: string, event: InspectedEvent): boolean {
  const containerId = event.thread?.containerId ?? '';
  if (address.length === 16) return containerId === '' && isLocalIpv6(address, event);
  if (containerId !== '' && event.state.findContainer(containerId)?.ip === ipv4Text(address, 0)) return true;
  for (const { address: own } of event.state.interfaces.values()) {
    if (own === address) return true;
  }
  return false;
}

/** The first 64 bits name the subnet. */
const SUBNET_BYTES = 8;

function isLocalIpv6(address: string, event: InspectedEvent): boolean {
  const subnet = address.slice(0, SUBNET_BYTES);
  for (const { family, address: own } of event.state.interfaces.values()) {
    if (family === 6 && own.startsWith(subnet)) return true;
  }
  return false;
}

/** An end that is not known yet is the unspecified address. */
export function addressOf(fd: FdInfo, address: string): string {
  if (address !== '') return address;
  return fd.type === FD_IPV4_SOCK || fd.type === FD_IPV4_SERVSOCK ? ZERO_IPV4 : ZERO_IPV6;
}

/** A connection whose ends are known. */
export function isConnection(fd: FdInfo): boolean {
  return (fd.type === FD_IPV4_SOCK || fd.type === FD_IPV6_SOCK) && !hasNoRole(fd);
}

/** Whether the client's end is on this machine; the server's end is then called remote. */
export function isClientLocal(fd: FdInfo, event: InspectedEvent): boolean {
  return isLocalAddress(addressOf(fd, fd.sip), event);
}

/** Whether the owner of the fd is the server: it listens, or the server's address is local. */
export function isServer(fd: FdInfo, event: InspectedEvent): boolean {
  switch (fd.type) {
    case FD_IPV4_SERVSOCK:
    case FD_IPV6_SERVSOCK:
      return true;
    case FD_IPV4_SOCK:
    case FD_IPV6_SOCK:
      return isLocalAddress(addressOf(fd, fd.dip), event);
    default:
      return false;
  }
}
