import { z } from 'zod';
import { sideFields } from '../embeddings/request/asked-cut.ts';
import type { EmbeddingInputs } from '../embeddings/request/embedding-input.check.ts';
import { inputsField } from '../embeddings/request/embeddings.schema.ts';
import { checkTextOrTexts, checkTexts } from '../embeddings/request/list.check.ts';
import { only } from '../embeddings/request/unserved-value.ts';

const truncate = z.boolean().nullish().describe("Cut texts above the model's limit, or refuse them.");
const promptName = z.string().min(1).max(128).nullish().describe("One of the model's prompts.");
/** That server has one model: a client that names another means that one, and would not see that it got this one's answer. */
const model = z.string().min(1).nullish().describe('The id of a served model, or `default`.');

const prompt = z.null('is not served here: prompt_name chooses one of the model').optional();

/** How texts of any of these calls are treated. */
const treatment = { truncate, ...sideFields, prompt_name: promptName, prompt };
export type TeiTreatment = z.infer<z.ZodObject<typeof treatment>>;

/** Other servers of Hugging Face have such an object for the fields that stand beside the inputs here. */
const parameters = z.strictObject({}, 'is not read here: it stands in the body itself').nullish();
const inParameters = z.null('is not read here: it stands in parameters').optional();

/** The body of `POST /embed`. */
export const teiEmbedSchema = z.looseObject({
  inputs: inputsField,
  normalize: z.boolean().nullish().describe('Scale vectors to length 1. Default: `true`.'),
  ...treatment,
  dimensions: z.int().min(1).nullish().describe('Cuts the vectors to this length.'),
  encoding_format: only('float', '/v1/embeddings has base64'),
  parameters,
  model,
});
export type TeiEmbedRequest = z.infer<typeof teiEmbedSchema> & { readonly inputs: EmbeddingInputs };

/** The body of `POST /embed_all`. */
export const teiEmbedAllSchema = z.looseObject({
  inputs: inputsField,
  ...treatment,
  parameters,
  model,
});
export type TeiEmbedAllRequest = z.infer<typeof teiEmbedAllSchema> & { readonly inputs: EmbeddingInputs };

/** The body of `POST /rerank`. */
export const teiRerankSchema = z.looseObject({
  query: z.string().min(1).describe('What the texts are to answer.'),
  texts: z
    .unknown()
    .check(checkTexts)
    .meta({ type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 }),
  documents: z.null('is not served beside texts').optional(),
  truncate,
  ...sideFields,
  raw_scores: z.boolean().nullish().describe('Scores as the model gives them, not between 0 and 1.'),
  return_text: z.boolean().nullish().describe('Whether results have their text. Default: `false`.'),
  top_n: z
    .int()
    .min(1)
    .nullish()
    .describe('Results in the answer at most, as Elasticsearch says it. Default: all.'),
  parameters,
  model: z
    .string()
    .min(1)
    .nullish()
    .describe('The id of a cross-encoder. Default: the first that is served.'),
});
export type TeiRerankRequest = z.infer<typeof teiRerankSchema> & { readonly texts: readonly string[] };

/** The body of `POST /tokenize`. */
export const teiTokenizeSchema = z.looseObject({
  inputs: z
    .unknown()
    .check(checkTextOrTexts)
    .meta({
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
      ],
    }),
  add_special_tokens: z
    .boolean()
    .nullish()
    .describe('Whether special tokens are put around. Default: `true`.'),
  prompt_name: promptName,
  prompt,
  parameters,
  model,
});
export type TeiTokenizeRequest = z.infer<typeof teiTokenizeSchema> & {
  readonly inputs: string | readonly string[];
};

/** The body of `POST /similarity`. */
export const teiSimilaritySchema = z.looseObject({
  inputs: z.strictObject({ source_sentence: z.string().min(1), sentences: z.unknown().check(checkTexts) }),
  parameters: z
    .strictObject({
      ...treatment,
      dimensions: z.null('is not served: whole vectors are compared').optional(),
    })
    .nullish(),
  truncate: inParameters,
  truncation_direction: inParameters,
  truncation_side: inParameters,
  prompt_name: inParameters,
  prompt: inParameters,
  model,
});
export type TeiSimilarityRequest = z.infer<typeof teiSimilaritySchema> & {
  readonly inputs: { readonly source_sentence: string; readonly sentences: readonly string[] };
};
