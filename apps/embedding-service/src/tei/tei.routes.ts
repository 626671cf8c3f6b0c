import { contextOf, jsonRoute, type PlainRoute } from '@morgan/http-server';
import { collectVectors } from '../embeddings/collect-vectors.ts';
import { cutsOf } from '../embeddings/request/asked-cut.ts';
import { listInputs } from '../embeddings/request/embedding-input.check.ts';
import type { EmbeddingService } from '../embeddings/embedding.service.ts';
import { mapInSlices } from '../embeddings/response/map-in-slices.ts';
import { vectorListBody } from '../embeddings/response/sliced-body.ts';
import { EMBEDDING_FIELDS, unreadCheck } from '../embeddings/request/unread-fields.ts';
import { shapeVector } from '../embeddings/response/vector-output.ts';
import { similarityOf } from '../embeddings/response/vector-similarity.ts';
import { withParam } from '../similarity/compared-texts.ts';
import { rankingBody } from '../ranking/ranking-body.ts';
import { describeRanking } from '../ranking/ranking-headers.ts';
import type { RankingService } from '../ranking/ranking.service.ts';
import { olderRerankRoute } from '../ranking/rerank.routes.ts';
import { RANKING_FIELDS } from '../ranking/rerank.schema.ts';
import {
  type TeiEmbedRequest,
  teiEmbedSchema,
  type TeiSimilarityRequest,
  teiSimilaritySchema,
  type TeiRerankRequest,
  teiRerankSchema,
  type TeiTreatment,
} from './tei.schema.ts';

const TAG = 'text-embeddings-inference';

const checkEmbed = unreadCheck(teiEmbedSchema, EMBEDDING_FIELDS);
const checkSimilarity = unreadCheck(teiSimilaritySchema, EMBEDDING_FIELDS);
const checkRerank = unreadCheck(teiRerankSchema, RANKING_FIELDS);

/** What text-embeddings-inference answers, each path, and at the address of the server itself whichever is meant. */
export function teiRoutes(service: EmbeddingService, ranking: RankingService): PlainRoute[] {
  const embed = embedRoute(service);
  const similarity = similarityRoute(service);
  const rerank = rerankRoute(ranking);
  return [embed, similarity, rerank, rootRoute(embed, similarity, rerank)];
}

/** Clients of Hugging Face post to the address of the server itself: what they want is seen from what they send. */
function rootRoute(embed: PlainRoute, similarity: PlainRoute, rerank: PlainRoute): PlainRoute {
  const meant = (body: unknown): PlainRoute => {
    const { inputs, query } = (body ?? {}) as { readonly inputs?: unknown; readonly query?: unknown };
    if (inputs === undefined && query !== undefined) return rerank;
    return isSimilarity(inputs) ? similarity : embed;
  };
  const handle: PlainRoute['handle'] = (request, reply) => meant(request.body).handle(request, reply);
  return { ...embed, path: '/', handle };
}

function isSimilarity(inputs: unknown): boolean {
  return typeof inputs === 'object' && inputs !== null && 'source_sentence' in inputs;
}

function similarityRoute(service: EmbeddingService): PlainRoute {
  return jsonRoute<TeiSimilarityRequest>({
    path: '/similarity',
    tag: TAG,
    summary: 'Cosine similarity of one sentence to others.',
    schema: teiSimilaritySchema,
    answer: async (body, request, reply) => {
      checkSimilarity(body);
      const { source_sentence: source, sentences } = body.inputs;
      const treatment = { ...body.parameters, model: body.model };
      const asked = { ...treated(treatment), inputs: [source, ...sentences] };
      const { items } = await collectVectors(service, asked, request, reply).catch((error: Error) => {
        throw withParam(error, comparedField);
      });
      const [first, ...others] = items.map(({ vector }) => vector);
      return mapInSlices(others, (vector) => similarityOf('cosine', first as Float32Array, vector));
    },
  });
}

/** The field of an input of a comparison; none of what is no input. */
function comparedField(index: number): string | undefined {
  if (index === 0) return 'inputs.source_sentence';
  return index > 0 ? `inputs.sentences[${index - 1}]` : undefined;
}

function embedRoute(service: EmbeddingService): PlainRoute {
  return jsonRoute<TeiEmbedRequest>({
    path: '/embed',
    tag: TAG,
    summary: 'Vectors for texts, as a list of lists of numbers.',
    schema: teiEmbedSchema,
    answer: async (body, request, reply) => {
      checkEmbed(body);
      const asked = { ...treated(body), inputs: listInputs(body.inputs) };
      const { items, dimensions } = await collectVectors(service, asked, request, reply);
      const shape = { dimensions, type: 'float' as const, normalize: body.normalize ?? true };
      const write = (index: number) =>
        JSON.stringify(Array.from(shapeVector(items[index]?.vector as Float32Array, shape)));
      reply.type('application/json');
      return vectorListBody({ begin: '[', count: items.length, dimensions, write, end: ']' });
    },
  });
}

/** Ranking as text-embeddings-inference has it; with `documents` in place of `texts` as vLLM, Infinity and llama.cpp have it at this path. */
function rerankRoute(ranking: RankingService): PlainRoute {
  const ofTexts = textsRoute(ranking);
  const ofDocuments = olderRerankRoute(ranking);
  const handle: PlainRoute['handle'] = (request, reply) =>
    (hasDocuments(request.body) ? ofDocuments : ofTexts).handle(request, reply);
  return { ...ofTexts, handle };
}

function hasDocuments(body: unknown): boolean {
  const { documents, texts } = (body ?? {}) as { readonly documents?: unknown; readonly texts?: unknown };
  return documents !== undefined && texts === undefined;
}

function textsRoute(ranking: RankingService): PlainRoute {
  return jsonRoute<TeiRerankRequest>({
    path: '/rerank',
    tag: TAG,
    summary: 'Texts in the order of how well they answer a query, from a cross-encoder.',
    schema: teiRerankSchema,
    answer: async (body, request, reply) => {
      checkRerank(body);
      const { query, texts, model, truncate, top_n: most, raw_scores: raw, return_text: withText } = body;
      const context = contextOf(request);
      const asked = { query, texts, field: 'texts', model, truncate, cut: cutsOf(body), most, raw };
      const outcome = await ranking.rank(asked, context);
      describeRanking(outcome, texts.length, context, reply);
      const ranked = outcome.ranked.map(({ index, score }) => ({
        index,
        ...(withText ? { text: texts[index] } : {}),
        score,
      }));
      return rankingBody(ranked, withText ?? false, reply);
    },
  });
}

/** Of which model a call wants vectors, how it wants its texts treated, and to which length the vectors are cut. */
type TeiEmbedTreatment = TeiTreatment & {
  readonly model?: string | null | undefined;
  readonly dimensions?: number | null | undefined;
};

function treated(body: TeiEmbedTreatment) {
  const { truncate, prompt_name, dimensions: wanted } = body;
  const dimensions = { wanted, field: 'dimensions' };
  const model = body.model ?? undefined;
  return { model, truncate, cut: cutsOf(body), prompt: { prompt_name }, dimensions };
}
