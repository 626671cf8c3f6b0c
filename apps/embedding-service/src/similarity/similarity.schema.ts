import { SIMILARITY_METRICS } from '@morgan/local-embeddings';
import { z } from 'zod';
import { sideFields } from '../embeddings/request/asked-cut.ts';
import { MAX_INPUTS } from '../embeddings/request/embedding-input.check.ts';
import { checkPairs, checkTexts } from '../embeddings/request/list.check.ts';
import { promptFields } from '../embeddings/request/prompt-choice.ts';

/** The body of `POST /v1/similarity`: one text against many, or pairs. */
export const similarityRequestSchema = z.looseObject({
  model: z.string().min(1).nullish().describe('The id of the served model, or `default`.'),
  source: z.string().min(1).nullish().describe('The text that every one of `targets` is compared with.'),
  targets: z
    .unknown()
    .check(checkTexts)
    .nullish()
    .meta({ type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1, maxItems: MAX_INPUTS - 1 }),
  pairs: z
    .unknown()
    .check(checkPairs)
    .nullish()
    .meta({
      type: 'array',
      items: { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 2, maxItems: 2 },
      minItems: 1,
      maxItems: MAX_INPUTS / 2,
    }),
  metric: z
    .enum(SIMILARITY_METRICS)
    .nullish()
    .describe(
      '`cosine` and `dot` grow with likeness; `euclidean` and `manhattan` are distances. Default: as the model says (`similarity_fn_name`), else `cosine`.',
    ),
  truncate: z.boolean().nullish().describe("Cut texts above the model's limit, or refuse them."),
  ...sideFields,
  dimensions: z.null('is not served: whole vectors are compared').optional(),
  ...promptFields,
});

export type SimilarityRequest = z.infer<typeof similarityRequestSchema> & {
  readonly targets?: readonly string[] | null;
  readonly pairs?: readonly (readonly [string, string])[] | null;
};
