import type { DistributedLlmClient } from '@morgan/distributed-llm';
import { contextOf } from '@morgan/http-server';
import type { IncomingCall, OutboundCall } from '../exchange/outbound-call.ts';
import type { ResponseOwners } from './response-owners.ts';

/** Whose call it is; empty where callers are not told apart. */
export function callerOf({ request }: IncomingCall): string {
  return contextOf(request).caller ?? '';
}

/** The response that the path of a call names. */
export function keptIdOf({ request }: IncomingCall): string | undefined {
  return (request.params as { readonly id?: string }).id;
}

/**
 * A call about a response that a host keeps, for that host alone; any other call as it is.
 * @throws AppError `response_not_found` where it is not known who keeps it, or it is another caller's
 */
export function toOwner(
  call: OutboundCall,
  incoming: IncomingCall,
  { llm, owners }: { readonly llm: DistributedLlmClient; readonly owners: ResponseOwners },
): OutboundCall {
  const id = keptIdOf(incoming);
  const mayGoOn = call.path.startsWith('/responses');
  const kept = id ?? (mayGoOn ? incoming.outline?.textOf('previous_response_id') : undefined);
  if (kept === undefined) return call;
  const hosts = llm.routeOf(undefined).hosts.map(({ name }) => name);
  const param = id === undefined ? 'previous_response_id' : 'response_id';
  const owner = owners.ownerOf(kept, { hosts, param, caller: callerOf(incoming) });
  return { ...call, request: { ...call.request, only: [owner] } };
}
