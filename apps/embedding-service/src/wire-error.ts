import { AppError } from '@morgan/foundation';
import { contextOf, type HttpReply, type PlainRoute } from '@morgan/http-server';

/** An error as a protocol other than OpenAI's says it. */
export interface WireError {
  readonly status: number;
  readonly body: object;
}

/** Says an error as a protocol does. */
export type WireErrorWriter = (error: AppError) => WireError;

/** A place within a request, as in `texts[3]`. */
const PLACE = /[[.]/;

/**
 * What an error says, and which of several inputs it is about: these protocols have no field for that.
 * @param inputs what the protocol calls the list of inputs. Default: `input`
 */
export function sentenceOf({ message, param }: AppError, inputs = 'input'): string {
  const place = param?.replace(/^input\[/, `${inputs}[`);
  const isToSay = place !== undefined && PLACE.test(place) && !message.includes(place);
  return isToSay ? `${message} (${place})` : message;
}

/** Makes a reply that of an error, in the shape of a protocol. @returns its body, which is still to be sent */
export function refuse(reply: HttpReply, error: AppError, write: WireErrorWriter): string {
  contextOf(reply).errorCode = error.code;
  if (error.retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(error.retryAfterMs / 1000));
  const { status, body } = write(error);
  reply.status(status).type('application/json; charset=utf-8');
  return JSON.stringify(body);
}

/** The same routes, with what they refuse said in the shape of their protocol. */
export function withErrors(write: WireErrorWriter, routes: readonly PlainRoute[]): PlainRoute[] {
  return routes.map((route): PlainRoute => ({
    ...route,
    handle: async (request, reply) => {
      try {
        return await route.handle(request, reply);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return refuse(reply, error, write);
      }
    },
  }));
}
