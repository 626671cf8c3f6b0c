import { z } from 'zod';
import type { EmbeddingInputs } from '../embeddings/request/embedding-input.check.ts';
import { inputsField } from '../embeddings/request/embeddings.schema.ts';

/** What both calls have. `keep_alive` is ignored: models stay as the configuration says it. */
const fields = {
  model: z.string().min(1).describe('The id of a served model, with or without `:latest`, or `default`.'),
  options: z
    .looseObject({
      num_ctx: z.int().min(1).nullish().describe('A text of more tokens is refused: none is cut to it.'),
    })
    .nullish()
    .describe('Ignored, but for `num_ctx`: what else there is changes no vector.'),
};

/** The body of `POST /api/embed`. */
export const ollamaEmbedSchema = z.looseObject({
  ...fields,
  input: inputsField,
  truncate: z.boolean().nullish().describe("Cut texts above the model's limit, or refuse them."),
  dimensions: z.int().min(1).nullish().describe('Cuts the vectors to this length.'),
});
export type OllamaEmbedRequest = z.infer<typeof ollamaEmbedSchema> & { readonly input: EmbeddingInputs };

/** The body of `POST /api/embeddings`, which its successor is there for since 2024. */
export const ollamaEmbeddingsSchema = z.looseObject({ ...fields, prompt: z.string().min(1) });
export type OllamaEmbeddingsRequest = z.infer<typeof ollamaEmbeddingsSchema>;

/** The body of `POST /api/show`; older clients send a `name`. */
export const ollamaShowSchema = z.looseObject({
  model: fields.model.nullish(),
  name: fields.model.nullish(),
});
export type OllamaShowRequest = z.infer<typeof ollamaShowSchema>;
