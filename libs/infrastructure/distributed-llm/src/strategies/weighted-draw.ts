import type { Candidate } from './strategy.ts';

/**
 * One candidate by chance, each as likely as its weight among all of them.
 * @param draw at least 0 and below 1.
 * @param except is never drawn; there must be another one.
 */
export function weightedDraw<C extends Candidate>(candidates: readonly C[], draw: number, except?: C): C {
  let left = 0;
  for (const candidate of candidates) if (candidate !== except) left += candidate.weight;
  left *= draw;
  let drawn: C | undefined;
  for (const candidate of candidates) {
    if (candidate === except) continue;
    drawn = candidate;
    left -= candidate.weight;
    if (left < 0) break;
  }
  return drawn as C;
}
