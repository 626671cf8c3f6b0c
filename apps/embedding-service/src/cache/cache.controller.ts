import { Readable } from 'node:stream';
import { Body, Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { EmbeddingCache } from '@morgan/cache';
import { AppError } from '@morgan/foundation';
import { ApiOperation, ApiTags, contextOf, type HttpReply, type HttpRequest } from '@morgan/http-server';
import { z } from 'zod';
import { type EmbeddingInputs, listInputs } from '../embeddings/request/embedding-input.check.ts';
import { inputsField } from '../embeddings/request/embeddings.schema.ts';
import { promptFields } from '../embeddings/request/prompt-choice.ts';
import { EMBEDDING_FIELDS, unreadCheck } from '../embeddings/request/unread-fields.ts';
import { CacheWarmer, type WarmingProgress } from './cache-warmer.ts';

const warmSchema = z.looseObject({
  input: inputsField,
  model: z.string().min(1).nullish().describe('The id of the served model, or `default`.'),
  truncate: z.boolean().nullish().describe("Cut texts above the model's limit, or skip them as failed."),
  priority: z.int().min(0).max(9).nullish().describe('Among calls that warm; 0 goes first. Default: 5.'),
  ...promptFields,
});
const checkRead = unreadCheck(warmSchema, EMBEDDING_FIELDS);
type WarmRequest = z.infer<typeof warmSchema> & { readonly input: EmbeddingInputs };

/** What operators do with the cache. */
@ApiTags('admin')
@Controller('admin/cache')
export class CacheController {
  constructor(
    private readonly cache: EmbeddingCache,
    private readonly warmer: CacheWarmer,
  ) {}

  @Post('purge')
  @HttpCode(200)
  @ApiOperation({ summary: 'Empties the memory of this replica, and Redis for all of them.' })
  async purge() {
    const { entries } = this.cache.getStatus();
    try {
      return { memory: entries, redis: await this.cache.purge() };
    } catch (cause) {
      const message = 'The memory of this replica is empty, but Redis could not be asked.';
      throw new AppError('cache_unavailable', message, { cause });
    }
  }

  @Post('warm')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Computes what is not cached, below live traffic. The answer is a line of JSON for each step.',
  })
  warm(
    @Body({ schema: warmSchema }) body: WarmRequest,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) reply: HttpReply,
  ): Promise<Readable> {
    checkRead(body);
    const { input, model, truncate, priority } = body;
    const asked = { inputs: listInputs(input), model: model ?? undefined, truncate, prompt: body };
    const context = contextOf(request);
    context.note('inputs', asked.inputs.length);
    const lines = new Readable({ read: () => undefined });
    // A refusal before the first step has its status; one after it is the last line.
    const begun = Promise.withResolvers<Readable>();
    const onStep = (step: WarmingProgress) => {
      if (step.retried !== undefined) context.note('retried', step.retried);
      if (!lines.destroyed) lines.push(`${JSON.stringify(step)}\n`);
      begun.resolve(lines);
    };
    void this.warmer.warm(asked, { context, priority: priority ?? 5 }, onStep).then(
      () => {
        lines.push(null);
      },
      (error: unknown) => {
        begun.reject(error);
        if (lines.destroyed) return;
        lines.push(faultLine(error));
        lines.push(null);
      },
    );
    reply.type('application/x-ndjson');
    return begun.promise;
  }
}

function faultLine(error: unknown): string {
  const fault = error instanceof AppError ? error : new AppError('internal_error', 'Warming failed.');
  return `${JSON.stringify({ ...fault.toEnvelope(), retryAfterMs: fault.retryAfterMs })}\n`;
}
