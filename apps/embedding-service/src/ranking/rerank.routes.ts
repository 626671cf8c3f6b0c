import { AppError } from '@morgan/foundation';
import { contextOf, type HttpReply, type HttpRequest, jsonRoute, type PlainRoute } from '@morgan/http-server';
import { cutsOf } from '../embeddings/request/asked-cut.ts';
import { unreadCheck } from '../embeddings/request/unread-fields.ts';
import { rankingBody } from './ranking-body.ts';
import { describeRanking } from './ranking-headers.ts';
import type { RankingService } from './ranking.service.ts';
import {
  type OlderRerankRequest,
  olderRerankSchema,
  RANKING_FIELDS,
  type RerankDocument,
  type RerankRequest,
  rerankSchema,
  wantsDocuments,
} from './rerank.schema.ts';

/** Documents that Cohere counts as one search. */
const DOCUMENTS_PER_SEARCH = 100;

const checkRead = unreadCheck(rerankSchema, RANKING_FIELDS);

/** Cohere's ranking. */
export function rerankRoute(ranking: RankingService): PlainRoute {
  return jsonRoute<RerankRequest>({
    path: '/v2/rerank',
    tag: 'cohere',
    summary: 'Texts in the order of how well they answer a query.',
    schema: rerankSchema,
    answer: async (body, request, reply) => {
      checkRead(body);
      const { id, results, searches } = await rank(ranking, body, request, reply);
      return rankingBody({ id, results, meta: metaOf('2', searches) }, wantsDocuments(body), reply);
    },
  });
}

/** Its first version. */
export function olderRerankRoute(ranking: RankingService): PlainRoute {
  return jsonRoute<OlderRerankRequest>({
    path: '/v1/rerank',
    tag: 'cohere',
    summary: 'The same, as older clients and those of Jina and Voyage know it.',
    schema: olderRerankSchema,
    answer: async (body, request, reply) => {
      const { id, outcome, results, searches } = await rank(ranking, body, request, reply);
      const { model, tokens } = outcome;
      const answer = {
        id,
        object: 'list',
        model,
        results,
        // Voyage's clients read these, and a document as its text.
        data: results.map(({ document, ...result }) =>
          document ? { ...result, document: document.text } : result,
        ),
        usage: { total_tokens: tokens },
        meta: metaOf('1', searches),
      };
      return rankingBody(answer, wantsDocuments(body), reply);
    },
  });
}

async function rank(
  ranking: RankingService,
  body: RerankRequest | OlderRerankRequest,
  request: HttpRequest,
  reply: HttpReply,
) {
  const { query, documents, model } = body;
  const withText = wantsDocuments(body);
  const [truncate, raw, most] = [truncateOf(body), rawOf(body), mostOf(body)];
  const texts = documents.map(textOf);
  const context = contextOf(request);
  const cut = cutsOf(body);
  const asked = { query, texts, field: 'documents', model, truncate, cut, most, raw };
  const outcome = await ranking.rank(asked, context);
  describeRanking(outcome, texts.length, context, reply);
  const results = outcome.ranked.map(({ index, score }) => ({
    index,
    relevance_score: score,
    ...(withText ? { document: givenBack(documents[index] as RerankDocument) } : {}),
  }));
  return { id: context.id, outcome, results, searches: Math.ceil(texts.length / DOCUMENTS_PER_SEARCH) };
}

/** @throws AppError `invalid_value` where both fields are there */
function truncateOf({
  truncate,
  truncation,
  truncate_prompt_tokens: tokens,
}: Pick<RerankRequest, 'truncate' | 'truncation' | 'truncate_prompt_tokens'>) {
  const isSaid = typeof tokens === 'number' || undefined;
  if (typeof truncate !== 'boolean' || typeof truncation !== 'boolean')
    return truncate ?? truncation ?? isSaid;
  throw onlyOneOf('truncate', 'truncation');
}

/** @throws AppError `invalid_value` where both fields are there */
function mostOf({ top_n: most, top_k: ofVoyage }: Pick<OlderRerankRequest, 'top_n' | 'top_k'>) {
  if (typeof most !== 'number' || typeof ofVoyage !== 'number') return most ?? ofVoyage;
  throw onlyOneOf('top_n', 'top_k');
}

/** @throws AppError `invalid_value` where both fields are there */
function rawOf({
  raw_scores: raw,
  use_activation: activates,
}: Pick<RerankRequest, 'raw_scores' | 'use_activation'>) {
  if (typeof activates !== 'boolean') return raw;
  if (typeof raw !== 'boolean') return !activates;
  throw onlyOneOf('raw_scores', 'use_activation');
}

function onlyOneOf(first: string, second: string): AppError {
  const message = `Only one of '${first}' and '${second}' may be given.`;
  return new AppError('invalid_value', message, { param: second });
}

function textOf(document: RerankDocument): string {
  return typeof document === 'string' ? document : document.text;
}

/** A document in the answer: an object as it came, with what else it has. */
function givenBack(document: RerankDocument) {
  return typeof document === 'string' ? { text: document } : document;
}

function metaOf(version: string, searches: number) {
  return { api_version: { version }, billed_units: { search_units: searches } };
}
