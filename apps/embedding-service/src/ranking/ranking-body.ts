import type { HttpReply } from '@morgan/http-server';
import { jsonSlices, slicedBody } from '../embeddings/response/sliced-body.ts';

/**
 * The body of a ranking. Documents that are given back may be megabytes, and stand in some answers twice: it is written slice by slice
 * then, as the client reads it.
 */
export function rankingBody(
  answer: Readonly<Record<string, unknown>> | readonly unknown[],
  hasDocuments: boolean,
  reply: HttpReply,
): unknown {
  if (!hasDocuments) return answer;
  reply.type('application/json');
  return slicedBody(jsonSlices(answer), false);
}
