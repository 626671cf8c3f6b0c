import { Controller, Get, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@morgan/http-server';
import type { EmbeddingModel } from '../embeddings/embedding-model.ts';
import { ServedModels } from './served-models.ts';

/** Which models this service serves, in OpenAI's words; where Infinity has them, too. */
@ApiTags('openai')
@Controller(['v1/models', 'models'])
export class ModelsController {
  constructor(private readonly served: ServedModels) {}

  @Get()
  @ApiOperation({ summary: 'The served models.' })
  models() {
    return { object: 'list', data: this.served.list().map(describe) };
  }

  // Model ids may hold slashes, as hub ids do.
  @Get('*')
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
