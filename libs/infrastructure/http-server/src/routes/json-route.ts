import { atEndOfTurn } from '@morgan/foundation';
import type { z } from 'zod';
import { bodyCheck } from './body-check.ts';
import type { HttpReply, HttpRequest } from '../http-exchange.ts';
import { tellIgnored } from '../ignored.ts';
import type { PlainRoute } from './plain-route.ts';
import { unknownFields } from './unknown-fields.ts';

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
    const unknown = unknownIn(request.body);
    if (unknown) tellIgnored(reply, unknown);
    const body = await answer(request.body as Body, request, reply);
    await new Promise<void>(atEndOfTurn);
    return body;
  };
  return { ...route, method: 'POST', handle };
}
