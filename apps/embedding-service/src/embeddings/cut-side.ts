import { AppError } from '@morgan/foundation';
import type { EmbeddingModel } from './embedding-model.ts';

/** Where a request wants texts to be cut that are too long, and what it calls that. */
export interface AskedCut {
  readonly side: 'left' | 'right';
  readonly field: string;
}

const ENDS = { left: 'at the start', right: 'at the end' } as const;

/**
 * Texts are cut where the model is made for it.
 * @throws AppError `invalid_value` for a request that wants it elsewhere
 */
export function checkCut(asked: AskedCut | undefined, model: Pick<EmbeddingModel, 'getInfo'>): void {
  if (asked === undefined) return;
  const { cutSide = 'right' } = model.getInfo();
  if (asked.side === cutSide) return;
  const { side, field: param } = asked;
  const message = `'${param}' asks for texts to be cut ${ENDS[side]}; the model cuts them ${ENDS[cutSide]}.`;
  throw new AppError('invalid_value', message, { param });
}

/** The side that a `truncate` as Cohere and NIM have it names, if it names any. */
export function cutOf(truncate: unknown): AskedCut | undefined {
  const side = truncate === 'START' ? 'left' : truncate === 'END' ? 'right' : undefined;
  return side && { side, field: 'truncate' };
}
