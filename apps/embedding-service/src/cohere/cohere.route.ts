import { contextOf, jsonRoute, type PlainRoute } from '@morgan/http-server';
import { collectVectors } from '../embeddings/collect-vectors.ts';
import { sidesOf } from '../embeddings/cut-side.ts';
import type { EmbeddingService } from '../embeddings/embedding.service.ts';
import { cohereResponse } from './cohere-response.ts';
import { type CohereEmbedRequest, cohereEmbedSchema } from './cohere.schema.ts';

/** Cohere's wire: vectors in several types at once. */
export function cohereEmbedRoute(service: EmbeddingService): PlainRoute {
  return jsonRoute<CohereEmbedRequest>({
    path: '/v2/embed',
    tag: 'cohere',
    summary: 'Vectors for texts, in several number formats.',
    schema: cohereEmbedSchema,
    answer: async (body, request, reply) => {
      const { model, texts: inputs, input_type, embedding_types: types, output_dimension: wanted } = body;
      const truncate = body.truncate ? body.truncate !== 'NONE' : undefined;
      const dimensions = { wanted, field: 'output_dimension' };
      const cut = sidesOf({ truncate: body.truncate });
      const asked = { inputs, model, truncate, cut, prompt: { input_type }, dimensions };
      const outcome = await collectVectors(service, asked, request, reply);
      reply.type('application/json');
      const { items, tokens } = outcome;
      const vectors = items.map(({ vector }) => vector);
      const shape = { types: types ?? ['float' as const], dimensions: outcome.dimensions };
      return cohereResponse({ id: contextOf(request).id, vectors, ...shape, tokens });
    },
  });
}
