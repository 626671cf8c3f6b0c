import { contextOf, type HttpReply, type HttpRequest } from '@morgan/http-server';
import { cacheUseOf } from './response/cache-headers.ts';
import type { EmbeddingOutcome, EmbeddingRequest, EmbeddingService } from './embedding.service.ts';
import { describeOutcome } from './response/outcome-headers.ts';

/**
 * The vectors that a request asks for, with the cache used as its headers say; the response gets the headers about them. They count as
 * the body does until the response is over: whoever reads it slowly holds them.
 */
export async function collectVectors(
  service: EmbeddingService,
  asked: Omit<EmbeddingRequest, 'hold'>,
  request: HttpRequest,
  reply: HttpReply,
): Promise<EmbeddingOutcome> {
  const context = contextOf(request);
  const hold = (bytes: number) => request.admittedBody?.charge.add(bytes, context.signal);
  const outcome = await service.collect(
    { ...asked, hold },
    context,
    cacheUseOf(request.headers['cache-control']),
  );
  describeOutcome(outcome, context, reply);
  return outcome;
}
