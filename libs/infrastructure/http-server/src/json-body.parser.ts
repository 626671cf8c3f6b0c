import { AppError } from '@morgan/foundation';
import type { FastifyInstance } from 'fastify';

/**
 * Parses JSON bodies and keeps the bytes beside the value, so that a gateway can pass on exactly what it got.
 * Any other media type is refused.
 */
export function registerJsonBodyParser(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    /^application\/(?:[\w.+-]+\+)?json(?:\s*;|$)/i,
    { parseAs: 'buffer' },
    (request, body, done) => {
      const bytes = body as Buffer;
      request.rawBody = bytes;
      if (bytes.length === 0) return done(null, undefined);
      try {
        done(null, JSON.parse(bytes.toString('utf8')));
      } catch (error) {
        done(new AppError('invalid_json', 'The request body is not valid JSON.', { cause: redact(error) }));
      }
    },
  );
}

/** V8 quotes the text around the fault; that text is the user's. */
function redact(error: unknown): Error {
  const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
  return new SyntaxError(position ? `invalid JSON at position ${position}` : 'invalid JSON');
}
