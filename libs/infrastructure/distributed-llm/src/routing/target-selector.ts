import type { Rest } from '../hosts/rests.ts';
import type { CallTraits } from '../strategies/strategy.ts';
import type { Panic } from './panic.ts';
import type { RequestFacts } from './request-facts.ts';
import type { Route, Tier } from './route-table.ts';
import type { Target } from './target.ts';

/** What there is to do next for a call. */
export type Choice =
  /** `isPanic`: there is no good target, this one is only better than none. */
  | { readonly kind: 'ask'; readonly target: Target; readonly tier: Tier; readonly isPanic: boolean }
  /** A target will be free by then. */
  | { readonly kind: 'wait'; readonly ms: number; readonly target: Target }
  | { readonly kind: 'none' };

/** What there is to choose from. */
export type Preview =
  | Exclude<Choice, { kind: 'ask' }>
  | {
      readonly kind: 'ask';
      readonly tier: Tier;
      /** Equally good: the strategy of the tier chooses. */
      readonly among: readonly Target[];
      readonly isPanic: boolean;
    };

/** The state of a call as far as choosing a target needs it. */
export interface ChoiceInput {
  readonly route: Route;
  readonly facts: RequestFacts;
  readonly traits: CallTraits;
  /** Targets that are not to be asked again. */
  readonly tried: ReadonlySet<Target>;
  /** Those whose limit of ours turned out to be used up, by other processes that share it: asked after all others. */
  readonly busy?: ReadonlySet<Target> | undefined;
  /** The request failed on several targets before: it must not decide about a host. */
  readonly isPoisonous: boolean;
  /** The context length of the target that found the request too long. */
  readonly tooLongFor: number | undefined;
  /** How long the call may wait for a target that rests, in milliseconds. */
  readonly mayWaitMs: number;
  /** Whether the call may ask a target that is not good. */
  readonly mayPanic: boolean;
}

/** How good a target is for a call, the lower the better; from `LAST_RESORT` on only a panic asks it. */
const LISTED = 0;
const UNLISTED = 1;
const DOUBTFUL = 2;
const BUSY = 4;
const LAST_RESORT = 5;
const RESTING = Infinity;
const OUT = -1;

/** Names the target for the next attempt of a call: the best of the first tier that has a good one. */
export class TargetSelector {
  constructor(private readonly panic: Panic) {}

  choose(input: ChoiceInput): Choice {
    for (const tier of input.route.tiers) {
      const good = this.#best(tier, input, LAST_RESORT);
      if (good) return { kind: 'ask', target: good, tier, isPanic: false };
      const wait = this.#shortestWait(tier, input);
      if (wait) return wait;
    }
    return this.#lastResort(input);
  }

  /** A further good target, for a call that has one under way. */
  chooseSpare(input: ChoiceInput): Choice {
    for (const tier of input.route.tiers) {
      const good = this.#best(tier, input, LAST_RESORT);
      if (good) return { kind: 'ask', target: good, tier, isPanic: false };
    }
    return { kind: 'none' };
  }

  /** What {@link choose} would choose from. Changes nothing: whose turn it is stays so. */
  preview(input: ChoiceInput): Preview {
    for (const tier of input.route.tiers) {
      const among = this.#equals(tier, input, LAST_RESORT);
      if (among.length > 0) return { kind: 'ask', tier, among, isPanic: false };
      const wait = this.#shortestWait(tier, input);
      if (wait) return wait;
    }
    for (const tier of input.mayPanic && !input.isPoisonous ? input.route.tiers : []) {
      const among = this.#equals(tier, input, RESTING);
      if (among.length > 0) return { kind: 'ask', tier, among, isPanic: true };
    }
    return { kind: 'none' };
  }

  #lastResort(input: ChoiceInput): Choice {
    if (!input.mayPanic || input.isPoisonous) return { kind: 'none' };
    for (const tier of input.route.tiers) {
      const target = this.#best(tier, input, RESTING);
      if (target) return { kind: 'ask', target, tier, isPanic: true };
    }
    return { kind: 'none' };
  }

  #best(tier: Tier, input: ChoiceInput, below: number): Target | undefined {
    const best = this.#equals(tier, input, below);
    if (best.length < 2) return best[0];
    return tier.strategy.choose(best, input.traits);
  }

  /** The best targets of a tier, among which its strategy chooses. */
  #equals({ targets }: Tier, input: ChoiceInput, below: number): Target[] {
    let best: Target[] = [];
    let bestRank = below;
    for (const target of targets) {
      const rank = this.#rankOf(target, input);
      if (rank === OUT || rank > bestRank || rank >= below) continue;
      if (rank >= LAST_RESORT && !this.panic.hasRoom(target.host)) continue;
      if (rank < bestRank) [best, bestRank] = [[], rank];
      best.push(target);
    }
    return best;
  }

  #shortestWait({ targets }: Tier, input: ChoiceInput): (Choice & { kind: 'wait' }) | undefined {
    let wait: (Choice & { kind: 'wait' }) | undefined;
    for (const target of targets) {
      const rest = restOf(target, input.facts);
      if (!rest?.binding || !isEligible(target, input)) continue;
      const ms = Math.max(0, rest.until - performance.now());
      if (ms <= input.mayWaitMs && ms < (wait?.ms ?? Infinity)) wait = { kind: 'wait', ms, target };
    }
    return wait;
  }

  #rankOf(target: Target, input: ChoiceInput): number {
    const { host } = target;
    if (input.tried.has(target) || !isEligible(target, input)) return OUT;
    const rest = restOf(target, input.facts);
    if (rest?.binding) return RESTING;
    // A request that is known to fail must not be the one that finds out how a host is.
    const { breaker } = host.policies;
    const isOpen = !breaker.allows() || (input.isPoisonous && breaker.state !== 'CLOSED');
    if (isOpen || host.health.isDown || rest)
      return LAST_RESORT + (rest ? 1 : 0) + (host.health.isDown ? 2 : 0);
    // Our own limits of the host: any other is asked before this one's queue.
    if (input.busy?.has(target) || !host.policies.allows(input.traits.promptTokens)) return BUSY;
    const rank = isListed(target, input) ? LISTED : UNLISTED;
    return rank + (host.isDoubtful ? DOUBTFUL : 0);
  }
}

/** Whether nobody in its tier could take over from a target. */
export function isAlone(target: Target, { tiers }: Route, facts: RequestFacts): boolean {
  const tier = tiers.find(({ targets }) => targets.includes(target));
  return !tier?.targets.some((other) => other !== target && other.host.takesPart && other.canServe(facts));
}

/**
 * Whether nothing says that the model is not there: lists are optional, and of what a route sends to a host by name the
 * operator knows more.
 */
export function isListed(target: Target, { route, facts }: Pick<ChoiceInput, 'route' | 'facts'>): boolean {
  const model = target.modelFor(facts.model);
  const isConfigured = target.model !== undefined || model === route.name;
  return isConfigured || model === undefined || target.host.models.mayHave(model);
}

/** The rest that covers a request at a target. */
export function restOf(target: Target, { model, path }: RequestFacts): Rest | undefined {
  return target.host.restFor(target.modelFor(model), path);
}

function isEligible(target: Target, { facts, tooLongFor }: ChoiceInput): boolean {
  if (!target.host.takesPart || !target.canServe(facts)) return false;
  return tooLongFor === undefined || (target.contextLengthFor(facts.model) ?? 0) > tooLongFor;
}
