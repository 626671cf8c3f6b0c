import type { CallTraits, Candidate, Strategy } from './strategy.ts';
import { weightedDraw } from './weighted-draw.ts';

/**
 * Of two candidates drawn by weight the one with less `(tokensInFlight / weight + promptTokens) * ttftMs`, weights relative
 * to their mean (Mitzenmacher's power of two choices with Finagle's Peak EWMA). Two choices are enough to avoid what is
 * slow, and many gateways that choose so do not all run to the same idle host. Equals: the first drawn, so by weight.
 */
export class PowerOfTwoStrategy implements Strategy {
  constructor(private readonly random: () => number = Math.random) {}

  choose<C extends Candidate>(candidates: readonly C[], call: CallTraits): C {
    const first = weightedDraw(candidates, this.random());
    if (candidates.length === 1) return first;
    const second = weightedDraw(candidates, this.random(), first);
    return isBetter(second, first, call.promptTokens) ? second : first;
  }
}

/** Where the time of one is unknown only load counts: an unknown one is neither sought nor avoided. */
function isBetter(one: Candidate, other: Candidate, promptTokens: number): boolean {
  const meanWeight = (one.weight + other.weight) / 2;
  const loadOf = ({ tokensInFlight, weight }: Candidate) =>
    (tokensInFlight * meanWeight) / weight + Math.max(1, promptTokens);
  const areKnown = one.ttftMs !== undefined && other.ttftMs !== undefined;
  const waitOf = (candidate: Candidate) => loadOf(candidate) * (areKnown ? (candidate.ttftMs ?? 1) : 1);
  return waitOf(one) < waitOf(other);
}
