import { AppError } from '@morgan/foundation';
import { jsonRoute, type PlainRoute } from '@morgan/http-server';
import { collectVectors } from '../embeddings/collect-vectors.ts';
import { listInputs } from '../embeddings/request/embedding-input.check.ts';
import type { EmbeddingOutcome, EmbeddingService } from '../embeddings/embedding.service.ts';
import { vectorListBody } from '../embeddings/response/sliced-body.ts';
import { shapeVector } from '../embeddings/response/vector-output.ts';
import { EMBEDDING_FIELDS, unreadCheck } from '../embeddings/request/unread-fields.ts';
import type { ServedModels } from '../models/served-models.ts';
import { idOf } from './ollama-name.ts';
import {
  type OllamaEmbeddingsRequest,
  ollamaEmbeddingsSchema,
  type OllamaEmbedRequest,
  ollamaEmbedSchema,
} from './ollama.schema.ts';

const NANOSECONDS_PER_MS = 1e6;

const checkEmbed = unreadCheck(ollamaEmbedSchema, EMBEDDING_FIELDS);
const checkEmbeddings = unreadCheck(ollamaEmbeddingsSchema, EMBEDDING_FIELDS);

/** What clients of Ollama ask for vectors. */
export function ollamaRoutes(service: EmbeddingService, models: ServedModels): PlainRoute[] {
  return [embedRoute(service, models), embeddingsRoute(service, models)];
}

function embedRoute(service: EmbeddingService, models: ServedModels): PlainRoute {
  return jsonRoute<OllamaEmbedRequest>({
    path: '/api/embed',
    tag: 'ollama',
    summary: 'Vectors for texts, at length 1.',
    schema: ollamaEmbedSchema,
    answer: async (body, request, reply) => {
      checkEmbed(body);
      const begun = performance.now();
      const inputs = listInputs(body.input);
      const wanted = { wanted: body.dimensions, field: 'dimensions' };
      const model = idOf(body.model, models);
      const asked = { inputs, model, truncate: body.truncate, dimensions: wanted };
      const outcome = await collectVectors(service, asked, request, reply);
      checkContext(body, outcome);
      const { items, dimensions, tokens } = outcome;
      const shape = { dimensions, type: 'float' as const, normalize: true };
      const write = (index: number) =>
        JSON.stringify(Array.from(shapeVector(items[index]?.vector as Float32Array, shape)));
      const took = Math.round((performance.now() - begun) * NANOSECONDS_PER_MS);
      // A model is loaded before its calls are counted; clients fail where the field is missing.
      const about = { model: body.model, total_duration: took, load_duration: 0, prompt_eval_count: tokens };
      reply.type('application/json');
      const end = `],${JSON.stringify(about).slice(1)}`;
      return vectorListBody({ begin: '{"embeddings":[', count: items.length, dimensions, write, end });
    },
  });
}

function embeddingsRoute(service: EmbeddingService, models: ServedModels): PlainRoute {
  return jsonRoute<OllamaEmbeddingsRequest>({
    path: '/api/embeddings',
    tag: 'ollama',
    summary: 'The vector of a text, as the model gives it.',
    schema: ollamaEmbeddingsSchema,
    answer: async (body, request, reply) => {
      checkEmbeddings(body);
      const asked = { inputs: [body.prompt], model: idOf(body.model, models) };
      const outcome = await collectVectors(service, asked, request, reply);
      checkContext(body, outcome);
      return { embedding: Array.from(outcome.items[0]?.vector as Float32Array) };
    },
  });
}

/** Clients name a size that their texts are within, so that it hardly ever matters. @throws AppError `invalid_value` where it would */
function checkContext({ options }: Pick<OllamaEmbedRequest, 'options'>, { items }: EmbeddingOutcome): void {
  const limit = options?.num_ctx ?? Infinity;
  const most = items.reduce((most, { tokenCount }) => Math.max(most, tokenCount), 0);
  if (most <= limit) return;
  const message = `'options.num_ctx' is ${limit}, but a text has ${most} tokens; texts are cut to the limit of the model only.`;
  throw new AppError('invalid_value', message, { param: 'options.num_ctx' });
}
