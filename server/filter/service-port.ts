/** Well-known services by name, so that a condition means the same on every machine. Source: data/service-ports.json. */
import servicePorts from './data/service-ports.json' with { type: 'json' };

const PORTS: ReadonlyMap<string, number> = new Map(Object.entries(servicePorts));

/** The port of a service such as `https`, or undefined. */
export function servicePort(name: string): number | undefined {
  return PORTS.get(name);
}
