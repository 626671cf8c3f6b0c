import { atEndOfTurn } from '@morgan/foundation';
import type { z } from 'zod';
import { bodyCheck } from './body-check.ts';
import { contextOf, type HttpReply, type HttpRequest } from '../http-exchange.ts';
import type { PlainRoute } from './plain-route.ts';
import { IGNORED_HEADER, unknownFields } from './unknown-fields.ts';

/** A call that brings a JSON body, as {@link jsonRoute} takes it. */
interface JsonRoute<Body> extends Pick<PlainRoute, 'path' | 'tag' | 'summary'> {
  /** What the body is held to. */
  readonly schema: z.ZodType;
  /**
   * Resolves to the body of the response.
   * @param body as it came: defaults and other changes of the schema are not made
   * @throws AppError, which becomes the response
   */
  readonly answer: (body: Body, request: HttpRequest, reply: HttpReply) => Promise<unknown>;
}

/**
 * A {@link PlainRoute} whose body is validated against a schema first, with the errors of `@Body({ schema })`. Fields that the schema
 * does not know are named in a header of the response and in the log line.
 */
export function jsonRoute<Body>({ answer, ...route }: JsonRoute<Body>): PlainRoute {
  const check = bodyCheck(route.schema);
  const unknownIn = unknownFields(route.schema);
  const handle: PlainRoute['handle'] = async (request, reply) => {
    check(request.body);
    const ignored = unknownIn(request.body);
    if (ignored !== undefined) {
      reply.header(IGNORED_HEADER, ignored);
      contextOf(request).note('ignored', ignored);
    }
    const body = await answer(request.body as Body, request, reply);
    await new Promise<void>(atEndOfTurn);
    return body;
  };
  return { ...route, method: 'POST', handle };
}
