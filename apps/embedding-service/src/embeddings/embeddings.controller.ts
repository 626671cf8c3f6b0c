import type { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags, contextOf, type HttpReply, type HttpRequest } from '@morgan/http-server';
import { ServedModels } from '../models/served-models.ts';
import { cacheUseOf } from './cache-headers.ts';
import { listInputs } from './embedding-input.check.ts';
import type { EmbeddingModel } from './embedding-model.ts';
import { EmbeddingService } from './embedding.service.ts';
import { EmbeddingsResponse } from './embeddings-response.ts';
import { type EmbeddingsRequest, embeddingsRequestSchema } from './embeddings.schema.ts';
import { outputOf } from './field-names.ts';
import { describeOutcome } from './outcome-headers.ts';
import { bytesOf } from './vector-output.ts';

const BYTES_TYPE = 'application/octet-stream';

/** OpenAI's embedding API over the models that this service serves. */
@ApiTags('openai')
@Controller('v1')
export class EmbeddingsController {
  constructor(
    private readonly service: EmbeddingService,
    private readonly served: ServedModels,
  ) {}

  @Post('embeddings')
  @HttpCode(200)
  @ApiOperation({ summary: 'Vectors for texts.' })
  async embed(
    @Body({ schema: embeddingsRequestSchema }) body: EmbeddingsRequest,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) reply: HttpReply,
  ): Promise<string | Buffer | Readable> {
    const context = contextOf(request);
    const { type, encoding, normalize, truncate, dimensions: wanted } = outputOf(body);
    const asked = {
      inputs: listInputs(body.input),
      model: body.model,
      truncate,
      prompt: body,
      dimensions: wanted,
    };
    const use = cacheUseOf(request.headers['cache-control']);
    const outcome = await this.service.collect(asked, context, use);
    describeOutcome(outcome, context, reply);
    const { dimensions } = outcome;
    const shape = { dimensions, type, normalize };
    const response = new EmbeddingsResponse({
      model: outcome.model,
      items: outcome.items,
      shape,
      encoding,
    });
    if (!wantsBytes(request)) {
      reply.type('application/json');
      return response.body();
    }
    reply.type(BYTES_TYPE).headers({
      'content-length': outcome.items.length * bytesOf(shape),
      'x-morgan-vectors': outcome.items.length,
      'x-morgan-dimensions': dimensions,
      'x-morgan-dtype': type,
      'x-morgan-tokens': outcome.tokens,
    });
    return response.bytes();
  }

  @Get('models')
  @ApiOperation({ summary: 'The served models.' })
  models() {
    return { object: 'list', data: this.served.list().map(describe) };
  }

  // Model ids may hold slashes, as hub ids do.
  @Get('models/*')
  @ApiOperation({ summary: 'One model.' })
  oneModel(@Param('*') wanted: string) {
    const model = this.served.named(wanted);
    return this.served
      .list()
      .filter((entry) => entry.model === model)
      .map(describe)[0];
  }
}

function describe({ model, isLoaded }: { readonly model: EmbeddingModel; readonly isLoaded: boolean }) {
  const { id, loadedAt } = model;
  return { id, object: 'model', created: loadedAt, owned_by: 'morgan', loaded: isLoaded };
}

/** A caller that names the type itself; the wildcard of ordinary clients means JSON. */
function wantsBytes({ headers: { accept } }: HttpRequest): boolean {
  return (accept ?? '').split(',').some((range) => range.split(';')[0]?.trim().toLowerCase() === BYTES_TYPE);
}
