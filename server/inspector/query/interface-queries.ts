/** Questions about network interfaces. */
import type {
  ListInterfacesRequest,
  ListInterfacesResponse,
} from '../../../proto/gen/strata/v1/state_service.ts';
import { invalidArgument } from '../../event/strata-error.ts';
import type { QueryContext } from './query-context.ts';
import { bytesOf } from './text.ts';

export function listInterfaces(
  request: ListInterfacesRequest,
  { inspector }: QueryContext,
): ListInterfacesResponse {
  if (request.scope?.eventNumber !== undefined) {
    throw invalidArgument('scope.event_number', 'interfaces are not kept per event');
  }
  const interfaces = inspector.state.interfaces.values().map((row) => ({
    name: bytesOf(row.name),
    address: bytesOf(row.address),
    netmask: bytesOf(row.netmask),
    broadcast: bytesOf(row.broadcast),
    linkSpeed: BigInt.asUintN(64, row.linkSpeed),
  }));
  return { interfaces };
}
