import { Body, Controller, Get, Header, HttpCode, Post, UseFilters } from '@nestjs/common';
import { AppError } from '@morgan/foundation';
import { ApiOperation, ApiTags } from '@morgan/http-server';
import type { EmbeddingModel } from '../embeddings/embedding-model.ts';
import { ServedModels } from '../models/served-models.ts';
import { WireErrorFilter } from '../wire-error.filter.ts';
import { ollamaErrorOf } from './ollama-error.ts';
import { idOf } from './ollama-name.ts';
import { type OllamaShowRequest, ollamaShowSchema } from './ollama.schema.ts';

/** What clients of Ollama look for before they ask for a vector: whether anybody is there, and which models. */
@ApiTags('ollama')
@Controller()
@UseFilters(new WireErrorFilter(ollamaErrorOf))
export class OllamaModelsController {
  constructor(private readonly models: ServedModels) {}

  // Those of text-embeddings-inference look here, too. Both read the status alone.
  @Get()
  @Header('content-type', 'text/plain; charset=utf-8')
  @ApiOperation({ summary: 'A line that says what this is.' })
  root(): string {
    return 'embedding-service is running';
  }

  @Get('api/tags')
  @ApiOperation({ summary: 'The served models, as `ollama list` shows them.' })
  async tags() {
    return { models: await Promise.all(this.models.list().map(({ model }) => listed(model))) };
  }

  @Post('api/show')
  @HttpCode(200)
  @ApiOperation({ summary: 'One of them. Lengths are those of a model that is loaded.' })
  async show(@Body({ schema: ollamaShowSchema }) body: OllamaShowRequest) {
    const name = body.model ?? body.name;
    if (!name) throw new AppError('missing_required_parameter', "'model' is required.", { param: 'model' });
    const model = this.models.named(idOf(name, this.models));
    const { dimensions, maxTokens } = model.getInfo();
    return {
      ...(await listed(model)),
      model_info: {
        'general.architecture': ARCHITECTURE,
        [`${ARCHITECTURE}.embedding_length`]: dimensions,
        [`${ARCHITECTURE}.context_length`]: maxTokens,
      },
    };
  }
}

/** Clients look for lengths below the name of an architecture, whichever that is. */
const ARCHITECTURE = 'onnx';

/** Of what Ollama tells of a model that which is known here. */
async function listed(model: EmbeddingModel) {
  const { id, loadedAt } = model;
  return {
    // Some clients look for the name that they are given, others for that with a tag, and download a model that they do not find.
    name: id.includes(':') ? id : `${id}:latest`,
    model: id,
    modified_at: new Date(loadedAt * 1000).toISOString(),
    details: { format: ARCHITECTURE, quantization_level: model.getInfo().dtype },
    capabilities: [(await model.kind()) === 'ranking' ? 'rerank' : 'embedding'],
  };
}
