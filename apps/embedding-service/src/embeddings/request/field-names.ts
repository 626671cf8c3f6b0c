import { AppError } from '@morgan/foundation';
import { type AskedCut, cutsOf } from './asked-cut.ts';
import { type EmbeddingsRequest, soleOf } from './embeddings.schema.ts';
import type { OutputType } from '../response/vector-output.ts';

/** What a request asks for, in whichever API's words it does so. */
export interface AskedOutput {
  readonly type: OutputType;
  readonly encoding: 'float' | 'base64';
  readonly dimensions: { readonly wanted: number | null | undefined; readonly field: string };
  /** Undefined: vectors that are cut are scaled to length 1, others are as the model gives them. */
  readonly normalize: boolean | undefined;
  readonly truncate: boolean | undefined;
  readonly cut: readonly AskedCut[];
}

/** Fields that say the same: this service's or OpenAI's, then those of Voyage, Jina and others. */
const SAME = [
  ['dimensions', 'output_dimension'],
  ['output_dtype', 'embedding_types', 'embedding_type', 'encoding_type'],
  ['truncate', 'truncation'],
  ['normalize', 'normalized'],
] as const;

/** @throws AppError `invalid_value` where two fields say what only one of them can */
export function outputOf(body: EmbeddingsRequest): AskedOutput {
  for (const names of SAME) {
    const [first, second] = names.filter((name) => body[name] !== undefined && body[name] !== null);
    if (second === undefined) continue;
    const message = `Only one of '${first}' and '${second}' may be given.`;
    throw new AppError('invalid_value', message, { param: second });
  }
  const jina = soleOf(body.embedding_type) as EmbeddingsRequest['embedding_type'];
  const cutsToTokens = typeof body.truncate_prompt_tokens === 'number';
  const truncate = body.truncate ?? body.truncation ?? (cutsToTokens || undefined);
  const isBase64 = jina === 'base64';
  if (isBase64 && body.encoding_format === 'float')
    throw new AppError('invalid_value', "'embedding_type' is base64, and 'encoding_format' is float.", {
      param: 'embedding_type',
    });
  return {
    type:
      body.output_dtype ??
      body.embedding_types?.[0] ??
      body.encoding_type ??
      (isBase64 ? undefined : jina) ??
      'float',
    encoding: body.encoding_format ?? (isBase64 ? 'base64' : 'float'),
    dimensions: {
      wanted: body.dimensions ?? body.output_dimension,
      field: body.output_dimension ? 'output_dimension' : 'dimensions',
    },
    normalize: body.normalize ?? body.normalized ?? undefined,
    truncate: typeof truncate === 'string' ? truncate !== 'NONE' : truncate,
    cut: cutsOf(body),
  };
}
