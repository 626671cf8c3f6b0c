import { AppError } from '@morgan/foundation';
import { z } from 'zod';
import type { EmbeddingModel } from './embedding-model.ts';

/** Where a request wants texts to be cut that are too long, and what it calls that. */
export interface AskedCut {
  readonly side: 'left' | 'right';
  readonly field: string;
}

const side = z.enum(['Left', 'Right', 'left', 'right']).nullish();

/** The fields of a request that name the side and nothing else. */
export const sideFields = {
  truncation_direction: side.describe(
    'Where texts are cut; only the side that the model itself is made for is served.',
  ),
  truncation_side: side.describe('The same.'),
};

/** What a request says of the side. */
export type SideFields = {
  readonly [Field in keyof typeof sideFields]?: z.infer<typeof side>;
} & { readonly truncate?: unknown };

const ENDS = { left: 'at the start', right: 'at the end' } as const;

/**
 * Texts are cut where the model is made for it.
 * @throws AppError `invalid_value` for a request that wants it elsewhere
 */
export function checkCut(asked: readonly AskedCut[] = [], model: Pick<EmbeddingModel, 'getInfo'>): void {
  for (const { side, field: param } of asked) {
    const { cutSide = 'right' } = model.getInfo();
    if (side === cutSide) continue;
    const message = `'${param}' asks for texts to be cut ${ENDS[side]}; the model cuts them ${ENDS[cutSide]}.`;
    throw new AppError('invalid_value', message, { param });
  }
}

/** The sides that a request names, `truncate` as Cohere and NIM have it included. */
export function sidesOf(body: SideFields): readonly AskedCut[] {
  const asked: AskedCut[] = [];
  const { truncate } = body;
  if (truncate === 'START' || truncate === 'END')
    asked.push({ side: truncate === 'START' ? 'left' : 'right', field: 'truncate' });
  for (const field of ['truncation_direction', 'truncation_side'] as const) {
    const given = body[field];
    if (given) asked.push({ side: given.toLowerCase() === 'left' ? 'left' : 'right', field });
  }
  return asked;
}
