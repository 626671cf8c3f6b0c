import { z } from 'zod';
import { MAX_INPUTS } from '../embeddings/request/embedding-input.check.ts';
import { sideFields, tokensField } from '../embeddings/request/asked-cut.ts';
import { checkDocuments, checkTexts } from '../embeddings/request/list.check.ts';
import type { Vocabulary } from '../embeddings/request/unread-fields.ts';
import { AS_MADE, only } from '../embeddings/request/unserved-value.ts';

/** A document of Cohere's older version: a text, or an object that has it. */
export type RerankDocument = string | { readonly text: string };

const size = { minItems: 1, maxItems: MAX_INPUTS - 1 };
const text = { type: 'string', minLength: 1 } as const;

const instruction = z.null('is not served: the model reads query and text alone').optional();

/** Fields of other servers by which scores would be others: only what changes none is taken. */
const unservedRankingFields = {
  activation: only(true, 'use_activation or raw_scores chooses'),
  softmax: only(true, 'use_activation or raw_scores chooses'),
  instruction,
  instruct: instruction,
  normalize: only(true, 'use_activation or raw_scores chooses'),
  add_special_tokens: only(true, AS_MADE),
  padding: only('do_not_pad', AS_MADE),
  max_length: z.null('is not served: pairs are cut to the limit of the model').optional(),
  return_embeddings: only(false, 'a cross-encoder has none'),
  max_tokens_per_query: only(0, 'a query is cut with its text, to the limit of the model'),
  max_chunks_per_doc: only(1, 'a document is read once, up to the limit of the model'),
};

/** What both versions have. */
const fields = {
  model: z
    .string()
    .min(1)
    .nullish()
    .describe('The id of a cross-encoder. Default: the first that is served.'),
  query: z.string().min(1).describe('What the texts are to answer.'),
  top_n: z.int().min(1).nullish().describe('Results in the answer at most. Default: all.'),
  truncate: z.boolean().nullish().describe('Cut pairs above the limit of the model, or refuse them.'),
  truncation: z.boolean().nullish().describe('The same, as Voyage says it.'),
  ...sideFields,
  raw_scores: z.boolean().nullish().describe('Scores as the model gives them, not between 0 and 1.'),
  use_activation: z.boolean().nullish().describe('The contrary, as vLLM says it.'),
  return_documents: z
    .preprocess(flagOf, z.boolean().nullish())
    .describe('Whether results have their text. Default: `false`.'),
  return_text: only(false, 'return_documents adds the texts'),
  max_tokens_per_doc: z
    .int()
    .min(0)
    .nullish()
    .describe('Only the limit of the model, or more, is served, or 0: a longer pair is cut to it.'),
  truncate_prompt_tokens: tokensField,
  ...unservedRankingFields,
};

/** The body of `POST /v2/rerank`. Further fields are ignored. */
export const rerankSchema = z.looseObject({
  ...fields,
  top_k: z.null('is not served: top_n bounds the results').optional(),
  documents: z
    .unknown()
    .check(checkTexts)
    .meta({ type: 'array', items: text, ...size }),
});
export type RerankRequest = z.infer<typeof rerankSchema> & { readonly documents: readonly string[] };

/** The body of `POST /v1/rerank`, which Jina and Voyage have too. Further fields are ignored. */
export const olderRerankSchema = z.looseObject({
  ...fields,
  top_k: fields.top_n.describe('The same as `top_n`, as Voyage says it.'),
  documents: z
    .unknown()
    .check(checkDocuments)
    .meta({
      type: 'array',
      items: { anyOf: [text, { type: 'object', properties: { text }, required: ['text'] }] },
      ...size,
    }),
  rank_fields: z
    .unknown()
    .refine(isTextAlone, 'is not served, but for text: a document is its text')
    .nullish()
    .meta({ type: 'array', items: { type: 'string', enum: ['text'] } })
    .describe('Only `text` is served.'),
});
export type OlderRerankRequest = z.infer<typeof olderRerankSchema> & {
  readonly documents: readonly RerankDocument[];
};

/** The fields that calls for a ranking may have. */
export const RANKING_FIELDS: Vocabulary = {
  path: '/v1/rerank',
  known: olderRerankSchema.shape,
  unserved: unservedRankingFields,
  usual: {
    return_documents: false,
    raw_scores: false,
    use_activation: true,
    truncate_prompt_tokens: -1,
    max_tokens_per_doc: 0,
  },
};

/** Whether the answer has the documents. */
export function wantsDocuments({
  return_documents: asked,
}: Pick<RerankRequest, 'return_documents'>): boolean {
  return flagOf(asked) === true;
}

/** RAGFlow sends the flag as a string, which servers in Python take for it. */
function flagOf(value: unknown): unknown {
  return value === 'true' || value === 'false' ? value === 'true' : value;
}

function isTextAlone(names: unknown): boolean {
  return Array.isArray(names) && names.length === 1 && names[0] === 'text';
}
