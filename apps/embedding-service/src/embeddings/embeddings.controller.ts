import type { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { AppError } from '@morgan/foundation';
import { ApiOperation, ApiTags, contextOf, type HttpReply, type HttpRequest } from '@morgan/http-server';
import { cacheUseOf } from './cache-headers.ts';
import { listInputs } from './embedding-input.check.ts';
import { EmbeddingService } from './embedding.service.ts';
import { EmbeddingsAnswer } from './embeddings-answer.ts';
import { type EmbeddingsRequest, embeddingsRequestSchema } from './embeddings.schema.ts';
import { describeOutcome } from './outcome-headers.ts';
import { bytesOf } from './vector-output.ts';

const BYTES_TYPE = 'application/octet-stream';

/** OpenAI's embedding API over the one model that this service serves. */
@ApiTags('openai')
@Controller('v1')
export class EmbeddingsController {
  constructor(private readonly service: EmbeddingService) {}

  @Post('embeddings')
  @HttpCode(200)
  @ApiOperation({ summary: 'Vectors for texts.' })
  async embed(
    @Body({ schema: embeddingsRequestSchema }) body: EmbeddingsRequest,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) reply: HttpReply,
  ): Promise<string | Buffer | Readable> {
    const context = contextOf(request);
    const dimensions = this.service.dimensionsFor(body.dimensions);
    const type = body.output_dtype ?? body.embedding_types?.[0] ?? 'float';
    const shape = { dimensions, type, normalize: body.normalize ?? false };
    const { model, truncate } = body;
    const asked = { inputs: listInputs(body.input), model, truncate, prompt: body };
    const use = cacheUseOf(request.headers['cache-control']);
    const outcome = await this.service.collect(asked, context, use);
    describeOutcome(outcome, context, reply);
    const answer = new EmbeddingsAnswer({
      model: this.service.model.id,
      items: outcome.items,
      shape,
      encoding: body.encoding_format ?? 'float',
    });
    if (!wantsBytes(request)) {
      reply.type('application/json');
      return answer.body();
    }
    reply.type(BYTES_TYPE).headers({
      'content-length': outcome.items.length * bytesOf(shape),
      'x-morgan-vectors': outcome.items.length,
      'x-morgan-dimensions': dimensions,
      'x-morgan-dtype': type,
      'x-morgan-tokens': outcome.tokens,
    });
    return answer.bytes();
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
    const { id } = this.service.model;
    if (wanted === id || wanted === 'default') return this.#describe();
    throw new AppError('model_not_found', `This service serves '${id}' and no other model.`, {
      param: 'model',
    });
  }

  #describe() {
    const { id, loadedAt } = this.service.model;
    return { id, object: 'model', created: loadedAt, owned_by: 'morgan' };
  }
}

/** A caller that names the type itself; the wildcard of ordinary clients means JSON. */
function wantsBytes({ headers: { accept } }: HttpRequest): boolean {
  return (accept ?? '').split(',').some((range) => range.split(';')[0]?.trim().toLowerCase() === BYTES_TYPE);
}
