import { z } from 'zod';
import { checkInput, type EmbeddingInputs, MAX_INPUTS } from './embedding-input.check.ts';

/** `input` as the API documentation shows it; {@link checkInput} is what it is held to. */
const TEXT = { type: 'string', minLength: 1 } as const;
const TOKEN_IDS = { type: 'array', items: { type: 'integer', minimum: 0 }, minItems: 1 } as const;
const severalOf = (items: object) => ({ type: 'array', items, minItems: 1, maxItems: MAX_INPUTS }) as const;

/** The body of `POST /v1/embeddings`: OpenAI's fields, and `truncate`. Further fields are ignored. */
export const embeddingsRequestSchema = z.looseObject({
  input: z
    .unknown()
    .check(checkInput)
    .meta({ anyOf: [TEXT, severalOf(TEXT), TOKEN_IDS, severalOf(TOKEN_IDS)] })
    .describe('A text, several texts, the token ids of a text, or several such lists.'),
  model: z.string().min(1).describe('The id of the served model, or `default`.'),
  encoding_format: z
    .enum(['float', 'base64'])
    .nullish()
    .describe('`base64`: little-endian float32. Default: `float`.'),
  dimensions: z.int().min(1).nullish().describe('Cuts the vectors to this length and normalises them again.'),
  truncate: z
    .boolean()
    .nullish()
    .describe("Cut texts above the model's limit (`true`) or refuse them (`false`)."),
  user: z.string().nullish().describe('Ignored.'),
});

export type EmbeddingsRequest = z.infer<typeof embeddingsRequestSchema> & { readonly input: EmbeddingInputs };
