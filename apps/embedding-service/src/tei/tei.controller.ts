import type { Readable } from 'node:stream';
import { Body, Controller, Get, HttpCode, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags, contextOf, type HttpReply, type HttpRequest } from '@morgan/http-server';
import { cacheUseOf } from '../embeddings/cache-headers.ts';
import { listInputs, MAX_INPUTS } from '../embeddings/embedding-input.check.ts';
import { EmbeddingService } from '../embeddings/embedding.service.ts';
import { describeOutcome } from '../embeddings/outcome-headers.ts';
import { listSlices, perSlice, slicedBody } from '../embeddings/sliced-body.ts';
import { shapeVector } from '../embeddings/vector-output.ts';
import { similarityOf } from '../embeddings/vector-similarity.ts';
import { ServedModels } from '../models/served-models.ts';
import { describeRanking } from '../ranking/ranking-headers.ts';
import { RankingService } from '../ranking/ranking.service.ts';
import { WireErrorFilter } from '../wire-error.filter.ts';
import { leftIsNotServed, teiErrorOf } from './tei-error.ts';
import {
  type TeiEmbedRequest,
  teiEmbedSchema,
  type TeiSimilarityRequest,
  teiSimilaritySchema,
  type TeiRerankRequest,
  teiRerankSchema,
  type TeiTreatment,
} from './tei.schema.ts';

/** A ranking model as that server describes it. */
const ONE_LABEL = { reranker: { id2label: { '0': 'LABEL_0' }, label2id: { LABEL_0: 0 } } };

/** How texts of a call are treated, and to which length their vectors are cut. */
type TeiEmbedTreatment = TeiTreatment & { readonly dimensions?: number | null | undefined };

/** The wire of text-embeddings-inference. Its `/health` is this service's own. */
@ApiTags('text-embeddings-inference')
@Controller()
@UseFilters(new WireErrorFilter(teiErrorOf))
export class TeiController {
  constructor(
    private readonly service: EmbeddingService,
    private readonly ranking: RankingService,
    private readonly models: ServedModels,
  ) {}

  @Post('embed')
  @HttpCode(200)
  @ApiOperation({ summary: 'Vectors for texts, as a list of lists of numbers.' })
  async embed(
    @Body({ schema: teiEmbedSchema }) body: TeiEmbedRequest,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) reply: HttpReply,
  ): Promise<string | Readable> {
    const { items, dimensions } = await this.#collect(listInputs(body.inputs), body, { request, reply });
    const shape = { dimensions, type: 'float' as const, normalize: body.normalize ?? true };
    const write = (index: number) =>
      JSON.stringify(Array.from(shapeVector(items[index]?.vector as Float32Array, shape)));
    reply.type('application/json');
    return slicedBody(
      wrapped(listSlices(items.length, dimensions, write)),
      items.length <= perSlice(dimensions),
    );
  }

  @Post('similarity')
  @HttpCode(200)
  @ApiOperation({ summary: 'Cosine similarity of one sentence to others.' })
  async similarity(
    @Body({ schema: teiSimilaritySchema }) body: TeiSimilarityRequest,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) reply: HttpReply,
  ): Promise<number[]> {
    const { source_sentence: source, sentences } = body.inputs;
    const { items } = await this.#collect([source, ...sentences], body.parameters ?? {}, { request, reply });
    const [first, ...others] = items.map(({ vector }) => vector);
    return others.map((vector) => similarityOf('cosine', first as Float32Array, vector));
  }

  @Get('info')
  @ApiOperation({ summary: 'What is served, with its limits.' })
  async info(@Query('model') wanted = 'default') {
    const model = this.models.named(wanted);
    const { backend, revision, dtype, pooling, maxTokens } = model.getInfo();
    const isRanking = (await model.kind()) === 'ranking';
    return {
      model_id: model.id,
      model_sha: revision ?? null,
      model_dtype: dtype ?? null,
      model_type: isRanking ? ONE_LABEL : { embedding: { pooling: pooling ?? null } },
      max_input_length: maxTokens ?? null,
      max_client_batch_size: MAX_INPUTS,
      auto_truncate: model.truncatesByDefault,
      backend: backend ?? null,
    };
  }

  @Post('rerank')
  @HttpCode(200)
  @ApiOperation({ summary: 'Texts in the order of how well they answer a query, from a cross-encoder.' })
  async rerank(
    @Body({ schema: teiRerankSchema }) body: TeiRerankRequest,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) reply: HttpReply,
  ) {
    if (body.truncation_direction?.toLowerCase() === 'left') throw leftIsNotServed();
    const { query, texts, truncate, raw_scores: raw, return_text: withText } = body;
    const context = contextOf(request);
    const asked = { query, texts, field: 'texts', truncate, raw };
    const outcome = await this.ranking.rank(asked, context);
    describeRanking(outcome, texts.length, context, reply);
    return outcome.ranked.map(({ index, score }) => ({
      index,
      ...(withText ? { text: texts[index] } : {}),
      score,
    }));
  }

  async #collect(
    inputs: readonly (string | readonly number[])[],
    { truncate, truncation_direction: side, prompt_name, dimensions }: TeiEmbedTreatment,
    { request, reply }: { readonly request: HttpRequest; readonly reply: HttpReply },
  ) {
    if (side?.toLowerCase() === 'left') throw leftIsNotServed();
    const context = contextOf(request);
    const asked = {
      inputs,
      truncate,
      prompt: { prompt_name },
      dimensions: { wanted: dimensions, field: 'dimensions' },
    };
    const outcome = await this.service.collect(asked, context, cacheUseOf(request.headers['cache-control']));
    describeOutcome(outcome, context, reply);
    return outcome;
  }
}

function* wrapped(slices: Iterable<string>): Generator<string, void> {
  yield '[';
  yield* slices;
  yield ']';
}
