import type { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { AppError } from '@morgan/foundation';
import { ApiOperation, ApiTags, contextOf, type HttpReply, type HttpRequest } from '@morgan/http-server';
import { EmbeddingModel } from './embedding-model.ts';
import { type EmbeddingsRequest, embeddingsRequestSchema } from './embeddings.schema.ts';
import { EmbeddingsService } from './embeddings.service.ts';
import { CACHE_HEADER, cacheUseOf, HITS, summaryOf } from './cache-headers.ts';

/** How many inputs of a request were cut to the limit of the model. */
const TRUNCATED_HEADER = 'x-morgan-truncated';

/** OpenAI's embedding API over the one model that this service serves. */
@ApiTags('openai')
@Controller('v1')
export class EmbeddingsController {
  constructor(
    private readonly embeddings: EmbeddingsService,
    private readonly model: EmbeddingModel,
  ) {}

  @Post('embeddings')
  @HttpCode(200)
  @ApiOperation({ summary: 'Vectors for texts.' })
  async embed(
    @Body({ schema: embeddingsRequestSchema }) body: EmbeddingsRequest,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) reply: HttpReply,
  ): Promise<string | Readable> {
    const context = contextOf(request);
    const use = cacheUseOf(request.headers['cache-control']);
    const { answer, results } = await this.embeddings.embed(body, context, use);
    context.note('inputs', answer.count);
    context.note('cacheHits', results.filter((result) => HITS.has(result)).length);
    reply.header(CACHE_HEADER, summaryOf(results));
    context.note('tokens', answer.tokens);
    reply.header(TRUNCATED_HEADER, String(answer.truncated));
    reply.type('application/json');
    return answer.body();
  }

  @Get('models')
  @ApiOperation({ summary: 'The served model.' })
  models() {
    return { object: 'list', data: [this.#describe()] };
  }

  // Model ids may hold slashes, as hub ids do.
  @Get('models/*')
  @ApiOperation({ summary: 'One model.' })
  oneModel(@Param('*') wanted: string) {
    if (wanted === this.model.id || wanted === 'default') return this.#describe();
    throw new AppError('model_not_found', `This service serves '${this.model.id}' and no other model.`, {
      param: 'model',
    });
  }

  #describe() {
    return { id: this.model.id, object: 'model', created: this.model.loadedAt, owned_by: 'morgan' };
  }
}
