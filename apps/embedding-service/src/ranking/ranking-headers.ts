import type { HttpReply, RequestContext } from '@morgan/http-server';
import { TRUNCATED_HEADER } from '../embeddings/response/outcome-headers.ts';
import type { RankingOutcome } from './ranking.service.ts';

/** Says in the headers of the response and in the request's log line what became of the texts. */
export function describeRanking(
  { tokens, truncated }: RankingOutcome,
  inputs: number,
  context: RequestContext,
  reply: HttpReply,
): void {
  context.note('inputs', inputs);
  context.note('tokens', tokens);
  reply.header(TRUNCATED_HEADER, String(truncated));
}
