/** `fd.*`: addresses and ports of both ends, by role (client, server) and by place (local, remote). */
import {
  FD_IPV4_SERVSOCK,
  FD_IPV4_SOCK,
  FD_IPV6_SERVSOCK,
  FD_IPV6_SOCK,
  type FdInfo,
} from '../state/fd-info.ts';
import type { InspectedEvent } from '../state/inspected-event.ts';
import { hasNoRole, isIpSocket } from './fd-kinds.ts';
import { fdOfEvent } from './fd-of-event.ts';
import { addressOf, isClientLocal, isConnection } from './fd-sides.ts';
import type { Extractor, FieldRow, Scalar } from './field.ts';
import { rowsOf } from './field-row.ts';
import { findServicePort } from './service-port.ts';

const row = rowsOf('fd');

type FdReader<T> = (fd: FdInfo, event: InspectedEvent) => T | undefined;

/** An end of a connection by its place: reads one value for the client's end and another for the server's. */
function byPlace<T>(isLocal: boolean, client: (fd: FdInfo) => T, server: (fd: FdInfo) => T): FdReader<T> {
  return (fd, event) => {
    if (!isConnection(fd)) return undefined;
    return isClientLocal(fd, event) === isLocal ? client(fd) : server(fd);
  };
}

function isSocket(fd: FdInfo): boolean {
  return fd.type === FD_IPV4_SOCK || fd.type === FD_IPV6_SOCK;
}

function isServerSocket(fd: FdInfo): boolean {
  return fd.type === FD_IPV4_SERVSOCK || fd.type === FD_IPV6_SERVSOCK;
}

const sip = (fd: FdInfo) => addressOf(fd, fd.sip);
const dip = (fd: FdInfo) => addressOf(fd, fd.dip);
const sport = (fd: FdInfo) => fd.sport;
const dport = (fd: FdInfo) => fd.dport;

const clientIp: FdReader<string> = (fd) => (isConnection(fd) ? sip(fd) : undefined);
const serverIp: FdReader<string> = (fd) => (isIpSocket(fd.type) && !hasNoRole(fd) ? dip(fd) : undefined);
const localIp = byPlace(true, sip, dip);
const remoteIp = byPlace(false, sip, dip);

const clientPort: FdReader<number> = (fd) => (isConnection(fd) ? fd.sport : undefined);
const serverPort: FdReader<number> = (fd) => {
  if (isServerSocket(fd)) return fd.dport;
  return isSocket(fd) && !hasNoRole(fd) ? fd.dport : undefined;
};
const localPort = byPlace(true, sport, dport);
const remotePort = byPlace(false, sport, dport);

/** Both ends of a connection, the one of a listening socket. For conditions: `=` holds when any fits, `!=` when all do. */
function bothIps(fd: FdInfo): readonly string[] | undefined {
  if (isSocket(fd)) return [sip(fd), dip(fd)];
  return isServerSocket(fd) ? [dip(fd)] : undefined;
}

function bothPorts(fd: FdInfo): readonly number[] | undefined {
  if (isSocket(fd)) return [fd.sport, fd.dport];
  return isServerSocket(fd) ? [fd.dport] : undefined;
}

function extract(read: FdReader<Scalar | readonly Scalar[]>): Extractor {
  return (event) => {
    const fd = fdOfEvent(event);
    return fd === undefined ? undefined : read(fd, event);
  };
}

const FOR_CONDITIONS = { filterOnly: true, noRhs: true, noTransformer: true } as const;

/** Conditions alone can say "either end": there is nothing to print. */
const EITHER_END = {
  ...FOR_CONDITIONS,
  bindJson: () => () => undefined,
  bindText: () => () => undefined,
} as const;

export const FD_ADDRESS_FIELDS: readonly FieldRow[] = [
  row('fd.ip', 'ipaddr', 'NA', 'matches either end address', extract(bothIps), EITHER_END),
  row('fd.cip', 'ipaddr', 'NA', 'client address', extract(clientIp)),
  row('fd.sip', 'ipaddr', 'NA', 'server address', extract(serverIp)),
  row('fd.lip', 'ipaddr', 'NA', 'local address', extract(localIp)),
  row('fd.rip', 'ipaddr', 'NA', 'remote address', extract(remoteIp)),
];

export const FD_PORT_FIELDS: readonly FieldRow[] = [
  row('fd.port', 'port', 'DEC', 'matches either end port', extract(bothPorts), EITHER_END),
  row('fd.cport', 'port', 'DEC', 'client port', extract(clientPort)),
  row('fd.sport', 'port', 'DEC', 'server port', extract(serverPort)),
  row('fd.lport', 'port', 'DEC', 'local port', extract(localPort)),
  row('fd.rport', 'port', 'DEC', 'remote port', extract(remotePort)),
];

/** Service names print as port numbers, as the reference does unless told to resolve. */
function service(read: FdReader<number>): Extractor {
  return extract((fd, event) => {
    const port = read(fd, event);
    return port === undefined ? undefined : `${port}`;
  });
}

/** A listening socket has a service to name, but the reference leaves it empty. */
const serverService: FdReader<string> = (fd) => {
  if (isServerSocket(fd)) return '';
  return isConnection(fd) ? `${fd.dport}` : undefined;
};

/** Empty for whatever has a role but is no connection, as unix sockets have. */
const clientService: FdReader<string> = (fd) => {
  if (hasNoRole(fd)) return undefined;
  return isSocket(fd) ? `${fd.sport}` : '';
};

/** Conditions may write the name all the same: `fd.sproto = ssh`. */
const NAMED = {
  valueOfLiteral: (text: string) => `${findServicePort(text) ?? text}`,
} as const;

export const FD_SERVICE_FIELDS: readonly FieldRow[] = [
  row('fd.proto', 'port', 'NA', 'matches either end service name', extract(bothPorts), EITHER_END),
  row('fd.cproto', 'string', 'NA', 'client service name', extract(clientService), NAMED),
  row('fd.sproto', 'string', 'NA', 'server service name', extract(serverService), NAMED),
  row('fd.lproto', 'string', 'NA', 'local service name', service(localPort), NAMED),
  row('fd.rproto', 'string', 'NA', 'remote service name', service(remotePort), NAMED),
];

export const FD_NET_FIELDS: readonly FieldRow[] = [
  row('fd.net', 'ipnet', 'NA', 'either address is in the network', extract(bothIps), EITHER_END),
  row('fd.cnet', 'ipnet', 'NA', 'client address is in the network', extract(clientIp), FOR_CONDITIONS),
  row('fd.snet', 'ipnet', 'NA', 'server address is in the network', extract(serverIp), FOR_CONDITIONS),
  row('fd.lnet', 'ipnet', 'NA', 'local address is in the network', extract(localIp), FOR_CONDITIONS),
  row('fd.rnet', 'ipnet', 'NA', 'remote address is in the network', extract(remoteIp), FOR_CONDITIONS),
];

const NO_DNS = {
  noRhs: true,
  noTransformer: true,
  unavailable:
    'names of addresses are not looked up: the event loop does no I/O, and a replayed capture holds none',
} as const;

export const FD_HOST_NAME_FIELDS: readonly FieldRow[] = [
  row('fd.cip.name', 'string', 'NA', 'DNS name of the client address', () => undefined, NO_DNS),
  row('fd.sip.name', 'string', 'NA', 'DNS name of the server address', () => undefined, NO_DNS),
  row('fd.lip.name', 'string', 'NA', 'DNS name of the local address', () => undefined, NO_DNS),
  row('fd.rip.name', 'string', 'NA', 'DNS name of the remote address', () => undefined, NO_DNS),
];
