import { Controller, Get, Inject, Param } from '@nestjs/common';
import type { DistributedLlmClient } from '@morgan/distributed-llm';
import { AppError } from '@morgan/foundation';
import { ApiOperation, ApiTags } from '@morgan/http-server';
import { EMBEDDING_UPSTREAM, LLM_UPSTREAM } from '../relay/upstreams.ts';

/** The models of all usable hosts, each object as its host describes it; where Azure's clients look for them, too. */
@ApiTags('openai')
@Controller(['v1/models', 'openai/models', 'openai/v1/models'])
export class ModelsController {
  constructor(
    @Inject(LLM_UPSTREAM) private readonly llm: DistributedLlmClient,
    @Inject(EMBEDDING_UPSTREAM) private readonly embedding: DistributedLlmClient,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The models that can be asked for.' })
  list() {
    return { object: 'list', data: this.#models() };
  }

  // Model ids may hold slashes, as hub ids do.
  @Get('*')
  @ApiOperation({ summary: 'One model.' })
  one(@Param('*') wanted: string) {
    const model = this.#models().find((candidate) => candidate.id === wanted);
    if (!model) throw new AppError('model_not_found', 'The model does not exist here.', { param: 'model' });
    return model;
  }

  #models() {
    return [...this.llm.models(), ...this.embedding.models()];
  }
}
