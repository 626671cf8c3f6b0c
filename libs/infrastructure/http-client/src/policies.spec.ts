import { expect, it } from '@jest/globals';
import { CircuitBreaker } from '@morgan/circuit-breaker';
import { AdaptiveBulkhead, AdaptiveTimeout, Bulkhead } from '@morgan/concurrency';
import type { Policy } from '@morgan/foundation';
import { DeadlinePolicy, HedgePolicy, RetryBudget, RetryPolicy } from '@morgan/retry';
import { AttemptPolicies } from './attempt-policies.ts';
import { attemptPoliciesConfig } from './attempt-policies.config.ts';

const name = 'host';
const budget = new RetryBudget();
const policies: readonly Policy[] = [
  new CircuitBreaker({ name }),
  new Bulkhead({ name }),
  new AdaptiveBulkhead({ name }),
  new AdaptiveTimeout({ name }),
  budget,
  new RetryPolicy({ budget }),
  new HedgePolicy({ budget }),
  new DeadlinePolicy({ timeoutMs: 1_000 }),
  new AttemptPolicies({ name, config: attemptPoliciesConfig.parse({ circuitBreaker: {} }) }),
];

it.each(policies.map((policy) => [policy.constructor.name, policy] as const))(
  '%s makes a call of its own where it is given none',
  async (_, policy) => {
    const { id, signal } = await policy.execute((call) => Promise.resolve(call));
    expect([id.length, signal.aborted]).toEqual([36, false]);
  },
);
