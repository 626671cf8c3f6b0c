import type { Readable } from 'node:stream';
import { Body, Controller, HttpCode, Post, Req, Res, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags, contextOf, type HttpReply, type HttpRequest } from '@morgan/http-server';
import { cacheUseOf } from '../embeddings/cache-headers.ts';
import { EmbeddingService } from '../embeddings/embedding.service.ts';
import { describeOutcome } from '../embeddings/outcome-headers.ts';
import { WireErrorFilter } from '../wire-error.filter.ts';
import { cohereResponse } from './cohere-response.ts';
import { type CohereEmbedRequest, cohereEmbedSchema } from './cohere.schema.ts';

/** Cohere's wire: vectors in several types at once. */
@ApiTags('cohere')
@Controller('v2')
@UseFilters(new WireErrorFilter(({ status, message }) => ({ status, body: { message } })))
export class CohereController {
  constructor(private readonly service: EmbeddingService) {}

  @Post('embed')
  @HttpCode(200)
  @ApiOperation({ summary: 'Vectors for texts, in several number formats.' })
  async embed(
    @Body({ schema: cohereEmbedSchema }) body: CohereEmbedRequest,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) reply: HttpReply,
  ): Promise<string | Readable> {
    const context = contextOf(request);
    const { model, texts: inputs, input_type, embedding_types: types, output_dimension } = body;
    const truncate = body.truncate !== 'NONE';
    const use = cacheUseOf(request.headers['cache-control']);
    const outcome = await this.service.collect(
      {
        inputs,
        model,
        truncate,
        prompt: { input_type },
        dimensions: { wanted: output_dimension, field: 'output_dimension' },
      },
      context,
      use,
    );
    describeOutcome(outcome, context, reply);
    reply.type('application/json');
    const { items, tokens, dimensions } = outcome;
    const vectors = items.map(({ vector }) => vector);
    return cohereResponse({ id: context.id, vectors, types: types ?? ['float'], dimensions, tokens });
  }
}
