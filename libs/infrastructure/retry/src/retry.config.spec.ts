import { describe, expect, it } from '@jest/globals';
import { DeadlinePolicy } from './deadline.policy.ts';
import { HedgePolicy } from './hedge.policy.ts';
import { RetryBudget } from './retry-budget.ts';
import { RetryPolicy } from './retry.policy.ts';

const budget = new RetryBudget();

describe('settings of retries', () => {
  it.each([
    ['maxRetries', () => new RetryPolicy({ budget, maxRetries: -1 })],
    ['baseDelayMs', () => new RetryPolicy({ budget, baseDelayMs: Number.NaN })],
    ['ratio', () => new RetryBudget({ ratio: 20 })],
    ['quantile', () => new HedgePolicy({ budget, quantile: 95 })],
    ['timeoutMs', () => new DeadlinePolicy({ timeoutMs: Number.NaN })],
  ])('a class that is given a wrong %s names it', (name, make) => {
    expect(make).toThrow(name);
  });

  it('a name that is no setting is refused', () => {
    const misspelt = { budget, maxRetry: 5 };
    expect(() => new RetryPolicy(misspelt)).toThrow('maxRetry');
  });
});
