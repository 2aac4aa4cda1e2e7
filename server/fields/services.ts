/**
 * Well-known services: which port a name in a condition stands for (`fd.sport = ssh`), and what a port is called.
 * The table is our own, so that a condition means the same on every node whatever its /etc/services says. A number always
 * wins over a name. Output shows port numbers.
 */
import rows from './data/services.json' with { type: 'json' };

export type ServiceProtocol = 'tcp' | 'udp';

const portByName = new Map<string, number>();
const nameByPort: Readonly<Record<ServiceProtocol, Map<number, string>>> = { tcp: new Map(), udp: new Map() };

for (const [name, port, protocol] of rows as [string, number, ServiceProtocol][]) {
  // Sorted by port with tcp first: the lowest port of a name, and its tcp port where both exist, is the one meant.
  if (!portByName.has(name)) portByName.set(name, port);
  nameByPort[protocol].set(port, name);
}

/** The port a service name stands for; undefined for unknown names. */
export function findServicePort(name: string): number | undefined {
  return portByName.get(name.toLowerCase());
}

/** What a port is called; without a protocol tcp is looked at before udp. */
export function findServiceName(port: number, protocol?: ServiceProtocol): string | undefined {
  if (protocol !== undefined) return nameByPort[protocol].get(port);
  return nameByPort.tcp.get(port) ?? nameByPort.udp.get(port);
}
