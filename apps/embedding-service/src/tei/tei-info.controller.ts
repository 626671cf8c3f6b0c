import { Controller, Get, Query, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@morgan/http-server';
import { MAX_INPUTS } from '../embeddings/request/embedding-input.check.ts';
import { ServedModels } from '../models/served-models.ts';
import { WireErrorFilter } from '../wire-error.filter.ts';
import { teiErrorOf } from './tei-error.ts';

/** A ranking model as text-embeddings-inference describes it. */
const ONE_LABEL = { reranker: { id2label: { '0': 'LABEL_0' }, label2id: { LABEL_0: 0 } } };

/** How text-embeddings-inference describes itself. Its `/health` is this service's own. */
@ApiTags('text-embeddings-inference')
@Controller()
@UseFilters(new WireErrorFilter(teiErrorOf))
export class TeiInfoController {
  constructor(private readonly models: ServedModels) {}

  @Get('info')
  @ApiOperation({ summary: 'What is served, with its limits.' })
  async info(@Query('model') wanted = 'default') {
    const model = this.models.named(wanted);
    const { backend, digest, dtype, pooling, maxTokens } = model.getInfo();
    const isRanking = (await model.kind()) === 'ranking';
    return {
      model_id: model.id,
      // Of a branch of the hub, or of a folder, nothing else tells clients that the model is another one than yesterday.
      model_sha: digest ?? null,
      model_dtype: dtype ?? null,
      model_type: isRanking ? ONE_LABEL : { embedding: { pooling: pooling ?? null } },
      max_input_length: maxTokens ?? null,
      max_client_batch_size: MAX_INPUTS,
      auto_truncate: model.truncatesByDefault,
      backend: backend ?? null,
    };
  }
}
