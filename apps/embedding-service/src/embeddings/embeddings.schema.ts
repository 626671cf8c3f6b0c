import { z } from 'zod';

/** Most inputs in one request, as OpenAI allows. */
export const MAX_INPUTS = 2048;

const text = z.string().min(1);
const tokenIds = z.array(z.int().min(0)).min(1);

/** The body of `POST /v1/embeddings`: OpenAI's fields, and `truncate`. Further fields are ignored. */
export const embeddingsRequestSchema = z.looseObject({
  input: z
    .union([text, z.array(text).min(1).max(MAX_INPUTS), tokenIds, z.array(tokenIds).min(1).max(MAX_INPUTS)])
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

export type EmbeddingsRequest = z.infer<typeof embeddingsRequestSchema>;
