import { type HttpReply, type HttpRequest, jsonRoute, type PlainRoute } from '@morgan/http-server';
import { BYTES_TYPE, wantsBytes } from './response/bytes-wanted.ts';
import { collectVectors } from './collect-vectors.ts';
import { listInputs } from './request/embedding-input.check.ts';
import type { EmbeddingOutcome, EmbeddingService } from './embedding.service.ts';
import { EmbeddingsResponse } from './response/embeddings-response.ts';
import { type EmbeddingsRequest, embeddingsRequestSchema } from './request/embeddings.schema.ts';
import { type AskedOutput, outputOf } from './request/field-names.ts';
import { bytesOf } from './response/vector-output.ts';

/** OpenAI's `POST /v1/embeddings`, over all models that this service serves. */
export function embeddingsRoute(service: EmbeddingService): PlainRoute {
  return jsonRoute<EmbeddingsRequest>({
    path: '/v1/embeddings',
    tag: 'openai',
    summary: 'Vectors for texts.',
    schema: embeddingsRequestSchema,
    answer: async (body, request, reply) => {
      const output = outputOf(body);
      const { truncate, cut, dimensions } = output;
      const inputs = listInputs(body.input);
      const asked = { inputs, model: body.model ?? undefined, truncate, cut, prompt: body, dimensions };
      const outcome = await collectVectors(service, asked, request, reply);
      return responseOf(outcome, output, request, reply);
    },
  });
}

/** The body of the response, whose headers are set. */
function responseOf(
  { model, items, dimensions, tokens }: EmbeddingOutcome,
  { type, encoding, normalize }: AskedOutput,
  request: HttpRequest,
  reply: HttpReply,
) {
  const shape = { dimensions, type, normalize };
  const response = new EmbeddingsResponse({ model, items, shape, encoding });
  if (!wantsBytes(request.headers.accept)) {
    reply.type('application/json');
    return response.body();
  }
  reply.type(BYTES_TYPE).headers({
    'content-length': items.length * bytesOf(shape),
    'x-morgan-vectors': items.length,
    'x-morgan-dimensions': dimensions,
    'x-morgan-dtype': type,
    'x-morgan-tokens': tokens,
  });
  return response.bytes();
}
