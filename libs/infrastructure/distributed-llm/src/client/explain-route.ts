import { readBodyFacts } from '@morgan/llm-protocol';
import type { CallInput, CallParts } from '../call/call-parts.ts';
import { sessionTraitsOf } from '../call/prepare-call.ts';
import type { DistributedLlmConfig } from '../distributed-llm.config.ts';
import type { LoadBalancingStrategy } from '../strategies/create-strategy.ts';
import { type SessionKeySource, sessionKeySource } from '../strategies/session-key.ts';
import type { Tier } from '../routing/route-table.ts';
import type { ChoiceInput, Preview } from '../routing/target-selector.ts';
import { isListed, restOf } from '../routing/target-selector.ts';
import type { Lack, Target } from '../routing/target.ts';

/** Why a target would not be asked, or only after others. */
type PassedOver =
  | 'draining'
  | 'disabled'
  | `no_${Lack}`
  /** The host asked for it: nothing is sent before its end. */
  | `resting_${string}`
  /** Others are asked first. */
  | `resting_softly_${string}`
  | 'circuit_open'
  /** By an operator: not in a panic either. */
  | 'circuit_held_open'
  | 'down'
  | 'rate_limited'
  | 'bulkhead_full'
  | 'model_not_listed'
  | 'doubtful'
  | 'panic_full'
  /** Nothing is wrong with it: a tier above can serve. */
  | 'lower_tier';

/** One target of a route, and whether a request would go there. */
export interface TargetExplanation {
  readonly host: string;
  /** The model that it would be asked for. */
  readonly model: string | undefined;
  /** Whether it is among those that the strategy chooses from. */
  readonly candidate: boolean;
  /** Its place in the order in which the strategy would name the candidates now, from 1; one that draws by chance may draw otherwise. */
  readonly order?: number | undefined;
  /** Everything that speaks against it. */
  readonly because: readonly PassedOver[];
  /** When its rest ends, in milliseconds from now. */
  readonly restsForMs?: number;
  /** When our own limit of it lets the next call through, in milliseconds from now, where that is known. */
  readonly freeInMs?: number | undefined;
  /** Its share of calls relative to the others, slow start included. */
  readonly weight: number;
  readonly inFlight: number;
  /** Recent time to the first token, in milliseconds; left out while nothing is known. */
  readonly ttftMs?: number | undefined;
}

/** How a request would be routed at the moment. */
export interface RouteExplanation {
  /** The configured model or glob; none where every host that may serve the model is asked. */
  readonly route: string | undefined;
  readonly strategy: LoadBalancingStrategy;
  /** What callers may choose instead. */
  readonly allowedStrategies: readonly string[];
  /** The hosts that alone may be asked, as for what one of them keeps; other targets are left out below. */
  readonly only?: readonly string[];
  readonly request: {
    readonly path: string;
    readonly model: string | undefined;
    readonly bytes: number;
    readonly stream: boolean;
    /** What calls of one conversation find back to the same target by; never its value. */
    readonly sessionKeyFrom: SessionKeySource | undefined;
    /** Whether the request failed on several targets lately: then it is no trial of a host. */
    readonly isPoisonous: boolean;
  };
  /** `ask` one of the candidates; `panic`: the same, as there is no good one; `wait` for a host that rests; `refuse`. */
  readonly decision: 'ask' | 'panic' | 'wait' | 'refuse';
  /** The place of the tier that would be asked, from 0. */
  readonly tier?: number;
  readonly waitMs?: number;
  /** In their order, first to last. */
  readonly tiers: readonly (readonly TargetExplanation[])[];
}

/** What an explanation needs of a client. */
type ExplainParts = Pick<CallParts, 'attempts' | 'selector' | 'memory' | 'maxRetryAfterWaitMs'> & {
  readonly config: DistributedLlmConfig;
};

/** Asks the selector itself, as the first attempt of a call would, and says what it found about every target. */
export function explainRoute(
  { request, route, traits }: CallInput,
  parts: ExplainParts,
  only?: readonly string[],
): RouteExplanation {
  const { selector, memory, maxRetryAfterWaitMs, config } = parts;
  const { facts, isStream, body } = request;
  const input: ChoiceInput = {
    route,
    facts,
    traits,
    tried: new Set(),
    isPoisonous: memory.has({ path: facts.path, body }),
    unfit: [],
    mayWaitMs: maxRetryAfterWaitMs,
    remainingMs: Infinity,
    mayPanic: config.panic.share > 0,
  };
  const preview = selector.preview(input);
  const order = preview.kind === 'ask' ? orderOf(preview, input) : [];
  const read = body && readBodyFacts(body);
  return {
    route: route.name,
    strategy: route.strategy,
    allowedStrategies: [...route.variants.keys()],
    ...(only && { only }),
    request: {
      path: facts.path,
      model: facts.model,
      bytes: facts.bytes,
      stream: isStream,
      sessionKeyFrom: sessionKeySource(sessionTraitsOf(request.headers, read, facts.model)),
      isPoisonous: input.isPoisonous,
    },
    ...decisionOf(preview, route.tiers),
    tiers: route.tiers.map(({ targets }) =>
      targets.map((target) => explainTarget(target, input, { preview, order, panic: parts.attempts.panic })),
    ),
  };
}

/** The candidates in the order in which the strategy would name them. */
function orderOf({ tier, among }: Preview & { kind: 'ask' }, { traits }: ChoiceInput): Target[] {
  const strategy = tier.strategy.copy?.() ?? tier.strategy;
  const order: Target[] = [];
  const left = new Set(among);
  while (left.size > 0) {
    const next = strategy.choose([...left], traits);
    left.delete(next);
    order.push(next);
  }
  return order;
}

function decisionOf(
  preview: Preview,
  tiers: readonly Tier[],
): Pick<RouteExplanation, 'decision' | 'tier' | 'waitMs'> {
  switch (preview.kind) {
    case 'ask':
      return { decision: preview.isPanic ? 'panic' : 'ask', tier: tiers.indexOf(preview.tier) };
    case 'wait':
      return {
        decision: 'wait',
        tier: tiers.findIndex(({ targets }) => targets.includes(preview.target)),
        waitMs: Math.ceil(preview.ms),
      };
    case 'none':
      return { decision: 'refuse' };
  }
}

function explainTarget(
  target: Target,
  input: ChoiceInput,
  {
    preview,
    order,
    panic,
  }: {
    readonly preview: Preview;
    readonly order: readonly Target[];
    readonly panic: CallParts['attempts']['panic'];
  },
): TargetExplanation {
  const candidate =
    preview.kind === 'ask'
      ? preview.among.includes(target)
      : preview.kind === 'wait' && preview.target === target;
  const because = faultsOf(target, input);
  if (!candidate && preview.kind === 'ask' && preview.isPanic && !panic.hasRoom(target.host))
    because.push('panic_full');
  if (!candidate && because.length === 0) because.push('lower_tier');
  const rest = restOf(target, input.facts);
  const limits = target.host.policies.availability(input.traits.promptTokens);
  const ttftMs = target.ttftMsFor(input.facts);
  return {
    host: target.host.name,
    model: target.modelFor(input.facts.model),
    candidate,
    ...(order.includes(target) && { order: order.indexOf(target) + 1 }),
    because,
    ...(!limits.available && limits.because !== 'circuit_open' && { freeInMs: limits.retryAfterMs }),
    ...(rest && { restsForMs: Math.max(0, Math.ceil(rest.until - performance.now())) }),
    weight: target.weight,
    inFlight: target.inFlight,
    ...(ttftMs !== undefined && { ttftMs }),
  };
}

function faultsOf(target: Target, { route, facts, traits, isPoisonous }: ChoiceInput): PassedOver[] {
  const { host } = target;
  const found: PassedOver[] = [];
  if (host.mode !== 'enabled') found.push(host.mode);
  const lack = target.lacks(facts);
  if (lack) found.push(`no_${lack}`);
  const rest = restOf(target, facts);
  if (rest) found.push(`${rest.binding ? 'resting' : 'resting_softly'}_${rest.outcome}`);
  const { breaker } = host.policies;
  const availability = host.policies.availability(traits.promptTokens);
  if (host.isHeldOpen) found.push('circuit_held_open');
  else if (!breaker.allows() || (isPoisonous && breaker.state !== 'CLOSED')) found.push('circuit_open');
  else if (!availability.available) found.push(availability.because);
  if (host.health.isDown) found.push('down');
  if (!isListed(target, { route, facts })) found.push('model_not_listed');
  if (host.isDoubtful(target.modelFor(facts.model), facts.path)) found.push('doubtful');
  return found;
}
