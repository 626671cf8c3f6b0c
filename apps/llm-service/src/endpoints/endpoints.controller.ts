import { Controller, Delete, Get, Inject, Post, Req, Res, type Type } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags, type HttpReply, type HttpRequest } from '@morgan/http-server';
import { schemaForDocs } from '../openai/openai.schemas.ts';
import { RequestOutline } from '../openai/request-outline.ts';
import { HostRelay } from '../relay/host-relay.ts';
import type { Endpoint } from './endpoint.ts';

const ROUTE = { GET: Get, POST: Post, DELETE: Delete };

type Handler = (this: { readonly relay: HostRelay }, request: HttpRequest, reply: HttpReply) => Promise<void>;

/** A controller with one handler for each endpoint. All of them do the same: check, then relay. */
export function endpointsController(endpoints: readonly Endpoint[]): Type {
  @ApiTags('openai')
  @Controller()
  class EndpointsController {
    constructor(@Inject(HostRelay) readonly relay: HostRelay) {}
  }
  for (const endpoint of endpoints) addHandler(EndpointsController.prototype, endpoint);
  return EndpointsController;
}

function addHandler(prototype: object, endpoint: Endpoint): void {
  const { method, path, summary, schema, check } = endpoint;
  const name = `${method} ${path}`;
  const handler: Handler = function (request, reply) {
    const outline = request.body as RequestOutline | undefined;
    check?.(outline);
    if (endpoint.isForm) return this.relay.relayForm(endpoint, { outline: undefined, request, reply });
    return this.relay.relay(endpoint, { outline, request, reply });
  };
  const descriptor = { value: handler, writable: true, enumerable: false, configurable: true };
  Object.defineProperty(prototype, name, descriptor);
  // Not `@Body()`: Nest would have every body pass through its pipes, which have nothing to do here.
  Req()(prototype, name, 0);
  Res()(prototype, name, 1);
  ApiOperation({ summary })(prototype, name, descriptor);
  if (schema) ApiBody({ schema: schemaForDocs(schema) })(prototype, name, descriptor);
  ROUTE[method](path)(prototype, name, descriptor);
}
