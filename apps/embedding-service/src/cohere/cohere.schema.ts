import { z } from 'zod';
import { MAX_INPUTS } from '../embeddings/request/embedding-input.check.ts';
import { OUTPUT_TYPES } from '../embeddings/response/vector-output.ts';
import { checkChoice, checkTexts } from '../embeddings/request/list.check.ts';

/** Cohere's types: `base64` is `float` as bytes. */
const COHERE_TYPES = [...OUTPUT_TYPES, 'base64'] as const;
export type CohereType = (typeof COHERE_TYPES)[number];

/** The body of `POST /v2/embed`. Fields that change no vector are ignored. */
export const cohereEmbedSchema = z.looseObject({
  // In front: whoever sends them sends no texts, and is to read why not, rather than that those are missing.
  images: z.null('are not served, only texts').optional(),
  inputs: z.null('are not served, only texts').optional(),
  model: z.string().min(1).describe('The id of the served model, or `default`.'),
  texts: z
    .unknown()
    .check(checkTexts)
    .meta({ type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1, maxItems: MAX_INPUTS - 1 }),
  input_type: z.string().min(1).max(128).nullish().describe('What the texts are, such as `search_query`.'),
  embedding_types: z
    .unknown()
    .check(checkChoice(COHERE_TYPES))
    .nullish()
    .meta({ type: 'array', items: { type: 'string', enum: COHERE_TYPES }, minItems: 1 })
    .describe('Number formats of the vectors; `base64` is `float` as bytes. Default: `float`.'),
  output_dimension: z.int().min(1).nullish().describe('Cuts the vectors to this length.'),
  truncate: z
    .enum(['NONE', 'START', 'END'])
    .nullish()
    .describe('`NONE` refuses texts above the limit; they are cut where the model is made for it.'),
  max_tokens: z.null('is not served: texts are cut to the limit of the model').optional(),
});

/** The body of `POST /v1/embed`, whose clients need not name a model. */
export const olderCohereEmbedSchema = cohereEmbedSchema.extend({
  model: cohereEmbedSchema.shape.model.nullish(),
});

export type CohereEmbedRequest = z.infer<typeof olderCohereEmbedSchema> & {
  readonly texts: readonly string[];
  readonly embedding_types?: readonly CohereType[] | null;
};
