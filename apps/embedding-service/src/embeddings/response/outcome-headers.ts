import type { HttpReply, RequestContext } from '@morgan/http-server';
import { CACHE_HEADER, HITS, summaryOf } from './cache-headers.ts';
import type { EmbeddingOutcome } from '../embedding.service.ts';

/** How many inputs of a request were cut to the limit of the model. */
export const TRUNCATED_HEADER = 'x-morgan-truncated';

/** Says in the headers of the response and in the request's log line what became of the inputs. */
export function describeOutcome(outcome: EmbeddingOutcome, context: RequestContext, reply: HttpReply): void {
  const { items, results, tokens } = outcome;
  context.note('inputs', items.length);
  context.note('tokens', tokens);
  context.note('cacheHits', results.filter((result) => HITS.has(result)).length);
  reply.header(CACHE_HEADER, summaryOf(results));
  reply.header(TRUNCATED_HEADER, String(items.filter(({ truncated }) => truncated).length));
}
