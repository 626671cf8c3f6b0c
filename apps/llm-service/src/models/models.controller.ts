import { Controller, Get, Header, Inject, Param, Req } from '@nestjs/common';
import type { DistributedLlmClient, ModelObject } from '@morgan/distributed-llm';
import { AppError } from '@morgan/foundation';
import { ApiOperation, ApiTags, type HttpRequest } from '@morgan/http-server';
import { isAnthropicCall } from '../endpoints/anthropic-callers.ts';
import { EMBEDDING_UPSTREAM, LLM_UPSTREAM } from '../relay/upstreams.ts';
import { anthropicModel } from './anthropic-models.ts';
import { ModelListJson } from './model-list-json.ts';

/**
 * The models of all usable hosts, each object as its host describes it, and for Anthropic's clients with what those read; where
 * Azure's clients look for them, too.
 */
@ApiTags('openai')
@Controller(['v1/models', 'openai/models', 'openai/v1/models'])
export class ModelsController {
  readonly #told = new ModelListJson();

  constructor(
    @Inject(LLM_UPSTREAM) private readonly llm: DistributedLlmClient,
    @Inject(EMBEDDING_UPSTREAM) private readonly embedding: DistributedLlmClient,
  ) {}

  @Get()
  @Header('content-type', 'application/json; charset=utf-8')
  @ApiOperation({ summary: 'The models that can be asked for.' })
  list(@Req() { url, headers }: HttpRequest): Buffer {
    return this.#told.in(isAnthropicCall(url, headers) ? 'anthropic' : 'openai', this.#models());
  }

  // Model ids may hold slashes, as hub ids do.
  @Get('*')
  @ApiOperation({ summary: 'One model.' })
  one(@Param('*') wanted: string, @Req() { url, headers }: HttpRequest) {
    const listed = this.#models()
      .flat()
      .find(({ id }) => id === wanted);
    // By a name that calls may have for it, too: clients look whether there is a model before they ask it.
    const model = listed ?? this.llm.model(wanted) ?? this.embedding.model(wanted);
    if (!model) throw new AppError('model_not_found', 'The model does not exist here.', { param: 'model' });
    return isAnthropicCall(url, headers) ? anthropicModel(model) : model;
  }

  #models(): readonly (readonly ModelObject[])[] {
    return [this.llm.models(), this.embedding.models()];
  }
}
