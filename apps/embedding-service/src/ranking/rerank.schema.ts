import { z } from 'zod';
import { MAX_INPUTS } from '../embeddings/embedding-input.check.ts';
import { checkDocuments, checkTexts } from '../embeddings/list.check.ts';

/** A document of Cohere's older version: a text, or an object that has it. */
export type RerankDocument = string | { readonly text: string };

const topN = z.int().min(1).nullish().describe('Results in the answer at most. Default: all.');
const query = z.string().min(1).describe('What the texts are to answer.');
const model = z
  .string()
  .min(1)
  .nullish()
  .describe('The id of a cross-encoder. Default: the first that is served.');
const maxTokens = z
  .int()
  .min(1)
  .nullish()
  .describe('Only the limit of the model, or more, is served: a longer pair is cut to it.');
const size = { minItems: 1, maxItems: MAX_INPUTS - 1 };
const text = { type: 'string', minLength: 1 } as const;

/** The body of `POST /v2/rerank`. Further fields are ignored. */
export const rerankSchema = z.looseObject({
  model,
  query,
  documents: z
    .unknown()
    .check(checkTexts)
    .meta({ type: 'array', items: text, ...size }),
  top_n: topN,
  max_tokens_per_doc: maxTokens,
});
export type RerankRequest = z.infer<typeof rerankSchema> & { readonly documents: readonly string[] };

/** The body of `POST /v1/rerank`, which Jina has too. Further fields are ignored. */
export const olderRerankSchema = z.looseObject({
  model,
  query,
  documents: z
    .unknown()
    .check(checkDocuments)
    .meta({
      type: 'array',
      items: { anyOf: [text, { type: 'object', properties: { text }, required: ['text'] }] },
      ...size,
    }),
  top_n: topN,
  return_documents: z.boolean().nullish().describe('Whether results have their text. Default: `false`.'),
});
export type OlderRerankRequest = z.infer<typeof olderRerankSchema> & {
  readonly documents: readonly RerankDocument[];
};
