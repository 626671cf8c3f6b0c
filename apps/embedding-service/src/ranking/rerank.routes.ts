import { AppError } from '@morgan/foundation';
import { contextOf, jsonRoute, type PlainRoute } from '@morgan/http-server';
import type { ServedModels } from '../models/served-models.ts';
import { describeRanking } from './ranking-headers.ts';
import type { RankingService } from './ranking.service.ts';
import {
  type OlderRerankRequest,
  olderRerankSchema,
  type RerankDocument,
  type RerankRequest,
  rerankSchema,
} from './rerank.schema.ts';

/** Documents that Cohere counts as one search. */
const DOCUMENTS_PER_SEARCH = 100;

/** Cohere's ranking. */
export function rerankRoute(ranking: RankingService, models: ServedModels): PlainRoute {
  return jsonRoute<RerankRequest>({
    path: '/v2/rerank',
    tag: 'cohere',
    summary: 'Texts in the order of how well they answer a query.',
    schema: rerankSchema,
    answer: async (body, request, reply) => {
      await checkMaxTokens(body, models);
      const { query, documents: texts, model, top_n: most } = body;
      const context = contextOf(request);
      const outcome = await ranking.rank({ query, texts, field: 'documents', model, most }, context);
      describeRanking(outcome, texts.length, context, reply);
      return {
        id: context.id,
        results: outcome.ranked.map(({ index, score }) => ({ index, relevance_score: score })),
        meta: metaOf('2', texts.length),
      };
    },
  });
}

/** Its first version. */
export function olderRerankRoute(ranking: RankingService): PlainRoute {
  return jsonRoute<OlderRerankRequest>({
    path: '/v1/rerank',
    tag: 'cohere',
    summary: 'The same, as older clients and those of Jina know it.',
    schema: olderRerankSchema,
    answer: async (body, request, reply) => {
      const { query, documents, model, top_n: most, return_documents: withText } = body;
      const texts = documents.map(textOf);
      const context = contextOf(request);
      const outcome = await ranking.rank({ query, texts, field: 'documents', model, most }, context);
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
    },
  });
}

/** A document is cut where the pair fills the model, and nowhere before that. */
async function checkMaxTokens(
  { model, max_tokens_per_doc: wanted }: RerankRequest,
  models: ServedModels,
): Promise<void> {
  const { maxTokens } = (await models.forRanking(model ?? undefined)).getInfo();
  if (typeof wanted !== 'number' || maxTokens === undefined || wanted >= maxTokens) return;
  const message = `'max_tokens_per_doc' is ${wanted}; documents are cut to the ${maxTokens} tokens of the model only.`;
  throw new AppError('invalid_value', message, { param: 'max_tokens_per_doc' });
}

function textOf(document: RerankDocument): string {
  return typeof document === 'string' ? document : document.text;
}

function metaOf(version: string, documents: number) {
  const searches = Math.ceil(documents / DOCUMENTS_PER_SEARCH);
  return { api_version: { version }, billed_units: { search_units: searches } };
}
