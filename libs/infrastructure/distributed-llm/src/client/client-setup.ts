import type { CallContext, Logger } from '@morgan/foundation';
import { RetryBudget } from '@morgan/retry';
import { Call } from '../call/call.ts';
import type { CallInput, CallParts } from '../call/call-parts.ts';
import type { HostRequest } from '../call/host-request.ts';
import type { HostResponse } from '../call/host-response.ts';
import { prepareCall } from '../call/prepare-call.ts';
import type { RequestMemory } from '../call/request-memory.ts';
import { Panic } from '../routing/panic.ts';
import { explainRoute, type RouteExplanation } from './explain-route.ts';
import { TargetSelector } from '../routing/target-selector.ts';
import { usualSilenceIn } from '../routing/usual-silence.ts';
import { ClientFleet, type FleetParts } from './client-fleet.ts';
import type { DistributedLlmConfig } from '../distributed-llm.config.ts';

/** The share of `minPerSecond` of the budget that requests which fail everywhere have for themselves. */
const POISON_SHARE = 0.5;

/** What outlives a reload. */
export interface SetupParts extends FleetParts {
  /** The client's name, for its metrics. */
  readonly name: string;
  readonly memory: RequestMemory;
}

/** A client under one configuration: a call that began under it ends under it, whatever is loaded meanwhile. */
export class ClientSetup {
  readonly config: DistributedLlmConfig;
  readonly fleet: ClientFleet;
  readonly budget: RetryBudget;
  readonly #parts: CallParts;
  #calls = 0;
  #onIdle: (() => void) | undefined;

  constructor(config: DistributedLlmConfig, parts: SetupParts, previous?: ClientSetup) {
    const { name, metrics, logger } = parts;
    this.config = config;
    this.fleet = new ClientFleet(config, parts, previous?.fleet);
    this.budget = new RetryBudget({ ...config.budget, metrics: metrics?.budget.of(name) });
    const poisonBudget = new RetryBudget({
      ratio: 0,
      minPerSecond: config.budget.minPerSecond * POISON_SHARE,
      metrics: metrics?.budget.of(`${name}_poison`),
    });
    const panic = new Panic(config.panic);
    this.#parts = {
      attempts: {
        transportOf: ({ host }) => parts.transports.of(host.options),
        budget: this.budget,
        panic,
        metrics: metrics?.hosts,
        slowCallMs: config.circuitBreaker.slowCallMs ?? Infinity,
        usualSilenceMs: usualSilenceIn(this.fleet.routes),
        onLockout: lockoutLog(logger),
      },
      selector: new TargetSelector(panic),
      memory: parts.memory,
      budget: this.budget,
      poisonBudget,
      logger,
      metrics: metrics?.hosts,
      maxRetryAfterWaitMs: config.maxRetryAfterWaitMs,
    };
  }

  /** What is asked, where it may go, and how long it may take. */
  prepare(request: HostRequest, context: CallContext): CallInput {
    return prepareCall(request, context, { config: this.config, routes: this.fleet.routes });
  }

  /** Resolves when the response has content. */
  call(input: CallInput, context: CallContext): Promise<HostResponse> {
    return new Call(this.#parts, input, context).run();
  }

  /** How a request would be routed now. Changes nothing. */
  explain(request: HostRequest, context: CallContext): RouteExplanation {
    const parts = { ...this.#parts, config: this.config };
    return explainRoute(this.prepare(request, context), parts, request.only);
  }

  /** A call begins. @returns what says that it is over. */
  enter(): () => void {
    this.#calls += 1;
    return () => {
      this.#calls -= 1;
      if (this.#calls === 0) this.#onIdle?.();
    };
  }

  /** Resolves when no call is left. No new one must come. */
  async idle(): Promise<void> {
    if (this.#calls > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }
}

function lockoutLog(logger: Logger): CallParts['attempts']['onLockout'] {
  return ({ target: { host }, outcome: reason, of, requestId }) =>
    logger.error(
      { host: host.name, of, reason, requestId },
      reason === 'quota_exhausted'
        ? 'host says that credit or quota is used up for this model: others are asked until it answers'
        : 'host refuses our key for this path: it is asked last until it takes it',
    );
}
