import { AppError } from '@morgan/foundation';
import { z } from 'zod';
import type { EmbeddingModel } from '../embedding-model.ts';

/** Where a request wants texts to be cut that are too long, or how many tokens they may have, and what it calls that. */
export type AskedCut = { readonly field: string } & (
  { readonly side: 'left' | 'right' } | { readonly tokens: number }
);

const side = z.enum(['Left', 'Right', 'left', 'right']).nullish();

/** The fields of a request that name the side and nothing else. */
export const sideFields = {
  truncation_direction: side.describe(
    'Where texts are cut; only the side that the model itself is made for is served.',
  ),
  truncation_side: side.describe('The same.'),
};

/** As vLLM says how many tokens are kept of a text. */
export const tokensField = z
  .int()
  .min(-1)
  .nullish()
  .describe(
    'Only the limit of the model, which -1 stands for, or more is served: longer texts are cut to it.',
  );

/** What a request says of it. */
type CutFields = {
  readonly [Field in keyof typeof sideFields]?: z.infer<typeof side>;
} & {
  readonly truncate?: unknown;
  readonly truncate_prompt_tokens?: unknown;
  readonly max_tokens_per_doc?: unknown;
};

const ENDS = { left: 'at the start', right: 'at the end' } as const;

/**
 * Texts are cut where the model is made for it, and nowhere before its limit.
 * @throws AppError `invalid_value` for a request that wants it otherwise
 */
export function checkCut(asked: readonly AskedCut[] = [], model: Pick<EmbeddingModel, 'getInfo'>): void {
  if (asked.length === 0) return;
  const { cutSide = 'right', maxTokens } = model.getInfo();
  const refuse = (field: string, what: string) => {
    throw new AppError('invalid_value', `'${field}' ${what}.`, { param: field });
  };
  for (const cut of asked) {
    if ('side' in cut && cut.side !== cutSide)
      refuse(cut.field, `asks for texts to be cut ${ENDS[cut.side]}; the model cuts them ${ENDS[cutSide]}`);
    if (!('tokens' in cut) || cut.tokens >= (maxTokens ?? Infinity)) continue;
    const limit = maxTokens === undefined ? 'limit' : `${maxTokens} tokens`;
    refuse(cut.field, `is ${cut.tokens}; texts are cut to the ${limit} of the model only`);
  }
}

/** How a request wants texts to be cut, `truncate` as Cohere and NIM have it included. */
export function cutsOf(body: CutFields): readonly AskedCut[] {
  const asked: AskedCut[] = [];
  const { truncate, truncate_prompt_tokens: tokens, max_tokens_per_doc: tokensOfText } = body;
  if (truncate === 'START' || truncate === 'END')
    asked.push({ side: truncate === 'START' ? 'left' : 'right', field: 'truncate' });
  for (const field of ['truncation_direction', 'truncation_side'] as const) {
    const given = body[field];
    if (given) asked.push({ side: given.toLowerCase() === 'left' ? 'left' : 'right', field });
  }
  if (typeof tokens === 'number' && tokens !== -1) asked.push({ tokens, field: 'truncate_prompt_tokens' });
  // vLLM has 0 for no limit of their own.
  if (typeof tokensOfText === 'number' && tokensOfText !== 0)
    asked.push({ tokens: tokensOfText, field: 'max_tokens_per_doc' });
  return asked;
}
