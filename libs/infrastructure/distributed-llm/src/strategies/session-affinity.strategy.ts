import { PowerOfTwoStrategy } from './power-of-two.strategy.ts';
import { rendezvousScore, textHash } from './rendezvous.ts';
import type { CallTraits, Candidate, Strategy } from './strategy.ts';
import { TTFT_NOISE_MS } from './ttft-noise.ts';

/** About 1 KB. Less is computed anew faster than a busy host gets to it. */
const SHORT_PROMPT_TOKENS = 256;
/** How many times the mean load its own target may have before a session is sent away. */
const MOST_AT_OWN = 2;
/** How many times the mean load another target may have to take it in (Mirrokni, Thorup, Zadimoghaddam: bounded loads). */
const MOST_AT_OTHER = 1.25;
/** How many times the others' mean time to the first token is too slow to stay for. */
const MOST_SLOWNESS = 3;

/**
 * Keeps a session on the target whose prefix cache knows it: the one with the highest rendezvous score, a pure function of
 * session, names and weights, so all processes agree without talking and no session is remembered. A new target takes its
 * share of sessions and moves no others; one that is away gives up its own only. Load is tokens in flight over weight. From
 * a target that is overloaded or slow a session goes to the next by score that has room. Calls without a session key, or with
 * a short prompt and no header that names the session, go by power of two choices.
 */
export class SessionAffinityStrategy implements Strategy {
  readonly #unbound: PowerOfTwoStrategy;

  constructor(random: () => number = Math.random) {
    this.#unbound = new PowerOfTwoStrategy(random);
  }

  choose<C extends Candidate>(candidates: readonly C[], call: CallTraits): C {
    const { promptTokens, namesSession } = call;
    if (promptTokens < SHORT_PROMPT_TOKENS && !namesSession) return this.#unbound.choose(candidates, call);
    const { sessionKey } = call;
    if (sessionKey === undefined) return this.#unbound.choose(candidates, call);
    const fleet = new FleetLoad(candidates, call);
    const session = textHash(sessionKey);
    let own: C | undefined;
    let ownScore = -1;
    let other: C | undefined;
    let otherScore = -1;
    for (const candidate of candidates) {
      const score = rendezvousScore(session, candidate);
      if (score > ownScore) {
        own = candidate;
        ownScore = score;
      }
      if (score > otherScore && fleet.hasRoom(candidate, MOST_AT_OTHER)) {
        other = candidate;
        otherScore = score;
      }
    }
    if (own && fleet.hasRoom(own, MOST_AT_OWN)) return own;
    return other ?? this.#unbound.choose(candidates, call);
  }
}

class FleetLoad {
  #tokens: number;
  #weight = 0;
  #ttftMs = 0;
  #known = 0;

  constructor(
    candidates: readonly Candidate[],
    private readonly call: CallTraits,
  ) {
    this.#tokens = call.promptTokens;
    for (const candidate of candidates) {
      this.#tokens += candidate.tokensInFlight;
      this.#weight += candidate.weight;
      const ttftMs = candidate.ttftMsFor(call);
      if (ttftMs === undefined) continue;
      this.#ttftMs += ttftMs;
      this.#known += 1;
    }
  }

  /** Waiting for less than this prompt is no overload: elsewhere at least as much would be computed anew. */
  hasRoom(candidate: Candidate, most: number): boolean {
    const { tokensInFlight, weight } = candidate;
    const share = (this.#tokens * weight) / this.#weight;
    if (tokensInFlight > Math.max(this.call.promptTokens, most * share)) return false;
    const ttftMs = candidate.ttftMsFor(this.call);
    if (ttftMs === undefined || this.#known < 2) return true;
    const othersMs = (this.#ttftMs - ttftMs) / (this.#known - 1);
    return ttftMs <= Math.max(MOST_SLOWNESS * othersMs, othersMs + TTFT_NOISE_MS);
  }
}
