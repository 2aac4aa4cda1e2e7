/**
 * Well-known services by name. The table (data/service-ports.json) is our own, so that a condition means the same on every
 * node whatever its /etc/services says. Output shows port numbers.
 */
import servicePorts from './data/service-ports.json' with { type: 'json' };

const PORTS: ReadonlyMap<string, number> = new Map(Object.entries(servicePorts));

/** The port of a service such as `https`, in whatever case it is written; undefined for unknown names. */
export function findServicePort(name: string): number | undefined {
  return PORTS.get(name.toLowerCase());
}
