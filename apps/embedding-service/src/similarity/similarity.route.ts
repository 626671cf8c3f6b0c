import { jsonRoute, type PlainRoute } from '@morgan/http-server';
import { collectVectors } from '../embeddings/collect-vectors.ts';
import { cutsOf } from '../embeddings/request/asked-cut.ts';
import type { EmbeddingService } from '../embeddings/embedding.service.ts';
import { mapInSlices } from '../embeddings/response/map-in-slices.ts';
import { EMBEDDING_FIELDS, unreadCheck } from '../embeddings/request/unread-fields.ts';
import { similarityOf } from '../embeddings/response/vector-similarity.ts';
import { inFieldsOf, pairsOf } from './compared-texts.ts';
import { type SimilarityRequest, similarityRequestSchema } from './similarity.schema.ts';

const checkRead = unreadCheck(similarityRequestSchema, EMBEDDING_FIELDS);

/** How alike texts are, for callers that need no vectors. */
export function similarityRoute(service: EmbeddingService): PlainRoute {
  return jsonRoute<SimilarityRequest>({
    path: '/v1/similarity',
    tag: 'similarity',
    summary: 'Compares one text with many, or the two texts of each pair.',
    schema: similarityRequestSchema,
    answer: async (body, request, reply) => {
      checkRead(body);
      const pairs = pairsOf(body);
      const inputs = [...new Set(pairs.flat())];
      const { model, truncate } = body;
      const asked = { inputs, model: model ?? undefined, truncate, cut: cutsOf(body), prompt: body };
      const outcome = await collectVectors(service, asked, request, reply).catch((error: Error) => {
        throw inFieldsOf(body, inputs, error);
      });
      const vectors = new Map(inputs.map((input, index) => [input, outcome.items[index]?.vector]));
      const metric = body.metric ?? service.metricOf(outcome.model);
      const vectorOf = (text: string) => vectors.get(text) as Float32Array;
      const similarities = await mapInSlices(pairs, ([left, right]) =>
        similarityOf(metric, vectorOf(left), vectorOf(right)),
      );
      return {
        object: 'list',
        data: similarities.map((similarity, index) => ({ object: 'similarity', index, similarity })),
        metric,
        model: outcome.model,
        usage: { prompt_tokens: outcome.tokens, total_tokens: outcome.tokens },
      };
    },
  });
}
