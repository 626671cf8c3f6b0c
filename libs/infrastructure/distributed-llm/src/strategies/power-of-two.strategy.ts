import type { CallTraits, Candidate, Strategy } from './strategy.ts';
import { areAlike } from './ttft-noise.ts';
import { weightedDraw } from './weighted-draw.ts';

/**
 * Of two candidates drawn by weight the one with less `(tokensInFlight / weight + promptTokens) * ttftMs`, weights relative
 * to their mean (Mitzenmacher's power of two choices with Finagle's Peak EWMA). Two choices are enough to avoid what is
 * slow, and many gateways that choose so do not all run to the same idle host. Equals: the first drawn, so by weight; times
 * are equal that differ by no more than noise, or of idle hosts the one that was a millisecond quicker would get all.
 */
export class PowerOfTwoStrategy implements Strategy {
  constructor(private readonly random: () => number = Math.random) {}

  choose<C extends Candidate>(candidates: readonly C[], call: CallTraits): C {
    const first = weightedDraw(candidates, this.random());
    if (candidates.length === 1) return first;
    const second = weightedDraw(candidates, this.random(), first);
    return isBetter(second, first, call) ? second : first;
  }
}

/** Where the time of one is unknown only load counts: an unknown one is neither sought nor avoided. */
function isBetter(one: Candidate, other: Candidate, call: CallTraits): boolean {
  const meanWeight = (one.weight + other.weight) / 2;
  const loadOf = ({ tokensInFlight, weight }: Candidate) =>
    (tokensInFlight * meanWeight) / weight + Math.max(1, call.promptTokens);
  const [ms, otherMs] = [one.ttftMsFor(call), other.ttftMsFor(call)];
  if (ms === undefined || otherMs === undefined || areAlike(ms, otherMs)) return loadOf(one) < loadOf(other);
  return loadOf(one) * ms < loadOf(other) * otherMs;
}
