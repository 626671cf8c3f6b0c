import { Body, Controller, HttpCode, Post, Req, Res, UseFilters } from '@nestjs/common';
import { AppError } from '@morgan/foundation';
import { ApiOperation, ApiTags, contextOf, type HttpReply, type HttpRequest } from '@morgan/http-server';
import { ServedModels } from '../models/served-models.ts';
import { WireErrorFilter } from '../wire-error.filter.ts';
import { describeRanking } from './ranking-headers.ts';
import { RankingService } from './ranking.service.ts';
import {
  type OlderRerankRequest,
  olderRerankSchema,
  type RerankDocument,
  type RerankRequest,
  rerankSchema,
} from './rerank.schema.ts';

/** Documents that Cohere counts as one search. */
const DOCUMENTS_PER_SEARCH = 100;

/** Cohere's ranking, in both of its versions. */
@ApiTags('cohere')
@Controller()
@UseFilters(new WireErrorFilter(({ status, message }) => ({ status, body: { message } })))
export class RerankController {
  constructor(
    private readonly ranking: RankingService,
    private readonly models: ServedModels,
  ) {}

  @Post('v2/rerank')
  @HttpCode(200)
  @ApiOperation({ summary: 'Texts in the order of how well they answer a query.' })
  async rerank(
    @Body({ schema: rerankSchema }) body: RerankRequest,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) reply: HttpReply,
  ) {
    await this.#checkMaxTokens(body);
    const { query, documents: texts, model, top_n: most } = body;
    const context = contextOf(request);
    const outcome = await this.ranking.rank({ query, texts, field: 'documents', model, most }, context);
    describeRanking(outcome, texts.length, context, reply);
    return {
      id: context.id,
      results: outcome.ranked.map(({ index, score }) => ({ index, relevance_score: score })),
      meta: metaOf('2', texts.length),
    };
  }

  @Post('v1/rerank')
  @HttpCode(200)
  @ApiOperation({ summary: 'The same, as older clients and those of Jina know it.' })
  async olderRerank(
    @Body({ schema: olderRerankSchema }) body: OlderRerankRequest,
    @Req() request: HttpRequest,
    @Res({ passthrough: true }) reply: HttpReply,
  ) {
    const { query, documents, model, top_n: most, return_documents: withText } = body;
    const texts = documents.map(textOf);
    const context = contextOf(request);
    const outcome = await this.ranking.rank({ query, texts, field: 'documents', model, most }, context);
    describeRanking(outcome, texts.length, context, reply);
    return {
      id: context.id,
      model: outcome.model,
      results: outcome.ranked.map(({ index, score }) => ({
        index,
        relevance_score: score,
        ...(withText ? { document: { text: texts[index] } } : {}),
      })),
      usage: { total_tokens: outcome.tokens },
      meta: metaOf('1', texts.length),
    };
  }

  /** A document is cut where the pair fills the model, and nowhere before that. */
  async #checkMaxTokens({ model, max_tokens_per_doc: wanted }: RerankRequest): Promise<void> {
    const { maxTokens } = (await this.models.choose(model ?? undefined, 'ranking')).getInfo();
    if (typeof wanted !== 'number' || maxTokens === undefined || wanted >= maxTokens) return;
    const message = `'max_tokens_per_doc' is ${wanted}; documents are cut to the ${maxTokens} tokens of the model only.`;
    throw new AppError('invalid_value', message, { param: 'max_tokens_per_doc' });
  }
}

function textOf(document: RerankDocument): string {
  return typeof document === 'string' ? document : document.text;
}

function metaOf(version: string, documents: number) {
  const searches = Math.ceil(documents / DOCUMENTS_PER_SEARCH);
  return { api_version: { version }, billed_units: { search_units: searches } };
}
