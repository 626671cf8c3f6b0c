import type { OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import type { HttpReply, HttpRequest } from '../http-exchange.ts';

/**
 * A route without the pipelines of Nest and Fastify, which together would be a fifth of a request to the gateway
 * (docs/performance.md). The checks before it and the shape of its errors are those of every route.
 */
export interface PlainRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With `:name` for what varies. */
  readonly path: string;
  /**
   * Resolves to the body of the response, or to undefined where nothing is left to do for the reply.
   * @throws AppError, which becomes the response, as one that it rejects with does.
   */
  readonly handle: (request: HttpRequest, reply: HttpReply) => Promise<unknown>;
  /** For the API documentation. */
  readonly tag: string;
  readonly summary: string;
  /** Of a JSON body, for the API documentation. {@link jsonRoute} holds bodies to it. */
  readonly schema?: z.ZodType | undefined;
}

/** What the API documentation says of them. */
export function pathsOf(routes: readonly PlainRoute[]): OpenAPIObject['paths'] {
  const paths: OpenAPIObject['paths'] = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return paths;
}

function operationOf({ path, tag, summary, schema }: PlainRoute) {
  const names = Array.from(path.matchAll(/:(\w+)/g), ([, name = '']) => name);
  return {
    summary,
    tags: [tag],
    parameters: names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
    ...(schema && { requestBody: bodyOf(schema) }),
    responses: { 200: { description: '' } },
  };
}

function bodyOf(schema: z.ZodType) {
  const written = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' });
  return { required: true, content: { 'application/json': { schema: written } } };
}
