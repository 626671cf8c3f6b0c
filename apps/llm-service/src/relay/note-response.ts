import type { HostRequest, HostResponse } from '@morgan/distributed-llm';
import type { RequestContext } from '@morgan/http-server';

/** Says in the log line of a request who answered it. */
export function noteResponse(context: RequestContext, response: HostResponse, { model }: HostRequest): void {
  context.note('host', response.host);
  // A model that a host knows is safe to log; anything else is whatever a caller typed.
  if (model !== undefined && response.status < 400) context.note('model', model);
}
