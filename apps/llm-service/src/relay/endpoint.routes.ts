import { BodyStream, type HttpRequest, type PlainRoute } from '@morgan/http-server';
import { checkDeployment } from '../outline/request-checks.ts';
import type { RequestOutline } from '../outline/request-outline.ts';
import type { HostRelay } from './host-relay.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';

/** One route for each endpoint. All of them do the same: check, then relay. */
export function endpointRoutes(endpoints: readonly Endpoint[], relay: HostRelay): PlainRoute[] {
  return endpoints.map((endpoint) => {
    const { method, path, summary, schema, check, isForm } = endpoint;
    const handle: PlainRoute['handle'] = (request: HttpRequest, reply) => {
      checkDeployment(request.url, (request.params as { readonly model?: string }).model);
      if (isForm && (request.body === undefined || request.body instanceof BodyStream))
        return relay.relayForm(endpoint, { outline: undefined, request, reply });
      const outline = request.body as RequestOutline | undefined;
      check?.(outline);
      return relay.relay(endpoint, { outline, request, reply });
    };
    return { method, path, handle, tag: 'openai', summary, schema };
  });
}
