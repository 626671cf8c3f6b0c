import { AppError } from '@morgan/foundation';
import { contextOf, jsonRoute, type PlainRoute } from '@morgan/http-server';
import { cacheUseOf } from '../embeddings/cache-headers.ts';
import type { EmbeddingService } from '../embeddings/embedding.service.ts';
import { describeOutcome } from '../embeddings/outcome-headers.ts';
import { similarityOf } from '../embeddings/vector-similarity.ts';
import { type SimilarityRequest, similarityRequestSchema } from './similarity.schema.ts';

/** How alike texts are, for callers that need no vectors. */
export function similarityRoute(service: EmbeddingService): PlainRoute {
  return jsonRoute<SimilarityRequest>({
    path: '/v1/similarity',
    tag: 'similarity',
    summary: 'Compares one text with many, or the two texts of each pair.',
    schema: similarityRequestSchema,
    answer: async (body, request, reply) => {
      const context = contextOf(request);
      const pairs = pairsOf(body);
      const inputs = [...new Set(pairs.flat())];
      const asked = { inputs, model: body.model ?? undefined, truncate: body.truncate, prompt: body };
      const outcome = await service.collect(asked, context, cacheUseOf(request.headers['cache-control']));
      describeOutcome(outcome, context, reply);
      const vectors = new Map(inputs.map((input, index) => [input, outcome.items[index]?.vector]));
      const metric = body.metric ?? 'cosine';
      const vectorOf = (text: string) => vectors.get(text) as Float32Array;
      return {
        object: 'list',
        data: pairs.map(([left, right], index) => ({
          object: 'similarity',
          index,
          similarity: similarityOf(metric, vectorOf(left), vectorOf(right)),
        })),
        metric,
        model: outcome.model,
        usage: { prompt_tokens: outcome.tokens, total_tokens: outcome.tokens },
      };
    },
  });
}

function pairsOf({ source, targets, pairs }: SimilarityRequest): readonly (readonly [string, string])[] {
  const isOneToMany = typeof source === 'string' && targets;
  if (pairs && !source && !targets) return pairs;
  if (isOneToMany && !pairs) return targets.map((target) => [source, target]);
  const message = "The request needs either 'source' and 'targets' or 'pairs'.";
  throw new AppError('invalid_value', message, { param: pairs ? 'pairs' : source ? 'targets' : 'source' });
}
