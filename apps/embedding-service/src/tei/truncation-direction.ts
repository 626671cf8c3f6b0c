import type { AskedCut } from '../embeddings/cut-side.ts';
import type { TeiTreatment } from './tei.schema.ts';

/** The side that a request names, if it names any. */
export function directionOf({
  truncation_direction: given,
}: Pick<TeiTreatment, 'truncation_direction'>): AskedCut | undefined {
  if (!given) return undefined;
  return { side: given.toLowerCase() === 'left' ? 'left' : 'right', field: 'truncation_direction' };
}
