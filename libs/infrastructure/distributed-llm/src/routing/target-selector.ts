import { OF_LOAD, PASSING } from '../evidence/outcome.ts';
import type { Rest } from '../hosts/history/rests.ts';
import type { CallTraits } from '../strategies/strategy.ts';
import { mayFit, type Unfit } from './fitting-target.ts';
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
  /**
   * Targets of which a limit of ours is used up, with how often the call has found it so: they are asked after others, from the second
   * time on after lower tiers.
   */
  readonly queued?: ReadonlyMap<Target, number> | undefined;
  /** The request failed on several targets before: it must not decide about a host. */
  readonly isPoisonous: boolean;
  /** The targets whose models the request does not fit: another one has to be larger, or to have another model, than all of them. */
  readonly unfit: readonly Unfit[];
  /** How long the call may wait for a target that rests, in milliseconds. */
  readonly mayWaitMs: number;
  /** What is left of its time, in milliseconds. */
  readonly remainingMs: number;
  /** Whether the call may ask a target that is not good. */
  readonly mayPanic: boolean;
}

/** Ranks of a target for a call, the lower the better. From `LAST_RESORT` on only a panic asks it. */
const LISTED = 0;
const UNLISTED = 1;
const DOUBTFUL = 2;
const BUSY = 4;
const QUEUED = 5;
/** The target has lately refused a call because of load, without a time. */
const LOADED = 6;
const LAST_RESORT = 7;
const RESTING = Infinity;
const OUT = -1;

/** Names the target for the next attempt of a call: the best of the first tier that has a good one. */
export class TargetSelector {
  constructor(private readonly panic: Panic) {}

  choose(input: ChoiceInput): Choice {
    return chosenFrom(this.preview(input), input);
  }

  /** A further good target, for a call that has one under way: a free one of any tier before the queue of another. */
  chooseSpare(input: ChoiceInput): Choice {
    const found = this.#first(input, BUSY) ?? this.#first(input, LOADED) ?? { kind: 'none' };
    return chosenFrom(found, input);
  }

  /** What {@link choose} would choose from. Changes nothing: whose turn it is stays so. */
  preview(input: ChoiceInput): Preview {
    for (const tier of input.route.tiers) {
      const among = this.#equals(tier, input, QUEUED);
      if (among.length > 0) return { kind: 'ask', tier, among, isPanic: false };
      const wait = shortestWait(tier.targets.filter(isWell), input);
      if (wait) return (isInVain(wait.target, input) && this.#first(input, QUEUED)) || wait;
    }
    const late = this.#first(input, LAST_RESORT);
    const all = input.route.tiers.flatMap(({ targets }) => targets);
    return late ?? this.#lastResort(input) ?? shortestWait(all, input) ?? { kind: 'none' };
  }

  #lastResort(input: ChoiceInput): Preview | undefined {
    if (!input.mayPanic || input.isPoisonous) return undefined;
    const found = this.#first(input, RESTING);
    return found && { ...found, isPanic: true };
  }

  /** The best targets of the first tier that has some ranked below `below`. */
  #first(input: ChoiceInput, below: number): (Preview & { kind: 'ask' }) | undefined {
    for (const tier of input.route.tiers) {
      const among = this.#equals(tier, input, below);
      if (among.length > 0) return { kind: 'ask', tier, among, isPanic: false };
    }
    return undefined;
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

  #rankOf(target: Target, input: ChoiceInput): number {
    const { host } = target;
    if (input.tried.has(target) || !isEligible(target, input)) return OUT;
    const rest = restOf(target, input.facts);
    if (rest?.binding) return RESTING;
    const { breaker, mayQueue } = host.policies;
    // Our own limits of the host: any other is asked before this one's queue.
    const isBusy = mayQueue && !host.policies.room(input.traits.promptTokens).available;
    // A request that is known to fail must not be the one that finds out how a host is.
    const isOpen = !breaker.allows() || (input.isPoisonous && breaker.state !== 'CLOSED');
    const isLoaded = rest !== undefined && OF_LOAD.has(rest.outcome);
    if (isOpen || host.health.isDown || (rest && !isLoaded))
      return LAST_RESORT + (rest ? 1 : 0) + (host.health.isDown ? 2 : 0) + (isBusy ? 4 : 0);
    if (isLoaded) return LOADED;
    const queued = input.queued?.get(target) ?? 0;
    if (queued > 0 || isBusy) return queued > 1 ? QUEUED : BUSY;
    const rank = isListed(target, input) ? LISTED : UNLISTED;
    return rank + (host.isDoubtful(target.modelFor(input.facts.model), input.facts.path) ? DOUBTFUL : 0);
  }
}

/** Whether a rest is all that speaks against the target: one that is down, or whose circuit is open, is no better after it. */
function isWell({ host }: Target): boolean {
  return !host.health.isDown && host.policies.breaker.allows();
}

/** Whether a wait may be for nothing: the target was full again as soon as its last rest was over. */
function isInVain(target: Target, { facts }: ChoiceInput): boolean {
  return (restOf(target, facts)?.times ?? 0) > 1;
}

function shortestWait(
  targets: readonly Target[],
  input: ChoiceInput,
): (Choice & { kind: 'wait' }) | undefined {
  let wait: (Choice & { kind: 'wait' }) | undefined;
  for (const target of targets) {
    const rest = restOf(target, input.facts);
    if (!rest?.binding || !PASSING.has(rest.outcome) || !isEligible(target, input)) continue;
    const ms = Math.max(0, rest.until - performance.now());
    // Behind the wait there must be time for an answer.
    const isInTime = ms <= input.mayWaitMs && ms + (target.ttftMsFor(input.facts) ?? 0) <= input.remainingMs;
    if (isInTime && ms < (wait?.ms ?? Infinity)) wait = { kind: 'wait', ms, target };
  }
  return wait;
}

function chosenFrom(found: Preview, { traits }: ChoiceInput): Choice {
  if (found.kind !== 'ask') return found;
  const { tier, among, isPanic } = found;
  const target = among.length < 2 ? (among[0] as Target) : tier.strategy.choose(among, traits);
  return { kind: 'ask', target, tier, isPanic };
}

/** Whether a tier below that of a target has one that could serve the call. */
export function hasTierBelow(target: Target, input: ChoiceInput): boolean {
  const { tiers } = input.route;
  const at = tiers.findIndex(({ targets }) => targets.includes(target));
  const below = tiers.slice(at + 1).flatMap(({ targets }) => targets);
  return below.some((other) => !input.tried.has(other) && isEligible(other, input));
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

function isEligible(target: Target, { facts, unfit }: ChoiceInput): boolean {
  if (!target.host.takesPart || !target.canServe(facts)) return false;
  return unfit.every((each) => mayFit(target, each, facts.model));
}
