import { contextOf, type HttpReply, type HttpRequest, jsonRoute, type PlainRoute } from '@morgan/http-server';
import { collectVectors } from '../embeddings/collect-vectors.ts';
import { cutsOf } from '../embeddings/request/asked-cut.ts';
import type { EmbeddingService } from '../embeddings/embedding.service.ts';
import { EMBEDDING_FIELDS, unreadCheck } from '../embeddings/request/unread-fields.ts';
import { cohereResponse } from './cohere-response.ts';
import { type CohereEmbedRequest, cohereEmbedSchema, olderCohereEmbedSchema } from './cohere.schema.ts';

/** Cohere's wire: vectors in several types at once. */
export function cohereEmbedRoute(service: EmbeddingService): PlainRoute {
  return jsonRoute<CohereEmbedRequest>({
    path: '/v2/embed',
    tag: 'cohere',
    summary: 'Vectors for texts, in several number formats.',
    schema: cohereEmbedSchema,
    answer: async (body, request, reply) => {
      const parts = await embed(service, body, request, reply);
      return cohereResponse({ ...parts, types: body.embedding_types ?? ['float'], version: '2' });
    },
  });
}

/** Its first version, which LangChain and others speak: a list of vectors for who names no types. */
export function olderCohereEmbedRoute(service: EmbeddingService): PlainRoute {
  return jsonRoute<CohereEmbedRequest>({
    path: '/v1/embed',
    tag: 'cohere',
    summary: 'The same, as older clients know it.',
    schema: olderCohereEmbedSchema,
    answer: async (body, request, reply) => {
      const parts = await embed(service, body, request, reply);
      return cohereResponse({ ...parts, types: body.embedding_types ?? undefined, version: '1' });
    },
  });
}

// Of both versions: they differ in what must be there.
const checkRead = unreadCheck(cohereEmbedSchema, EMBEDDING_FIELDS);

async function embed(
  service: EmbeddingService,
  body: CohereEmbedRequest,
  request: HttpRequest,
  reply: HttpReply,
) {
  checkRead(body);
  const { texts, input_type, output_dimension: wanted } = body;
  const model = body.model ?? undefined;
  const truncate = body.truncate ? body.truncate !== 'NONE' : undefined;
  const dimensions = { wanted, field: 'output_dimension' };
  const cut = cutsOf({ truncate: body.truncate });
  const asked = { inputs: texts, model, truncate, cut, prompt: { input_type }, dimensions };
  const outcome = await collectVectors(service, asked, request, reply);
  reply.type('application/json');
  const { items, dimensions: length, tokens } = outcome;
  const vectors = items.map(({ vector }) => vector);
  return { id: contextOf(request).id, vectors, texts, dimensions: length, tokens };
}
