import { describe, expect, it } from '@jest/globals';
import { listSettings } from '@morgan/foundation';
import { Test } from '@nestjs/testing';
import { DeadlinePolicy } from './deadline.policy.ts';
import { HedgePolicy } from './hedge.policy.ts';
import { RetryBudget } from './retry-budget.ts';
import { retryConfig } from './retry.config.ts';
import { RetryModule } from './retry.module.ts';
import { RetryPolicy } from './retry.policy.ts';

describe('the configuration', () => {
  it('has the defaults of the parts themselves', () => {
    expect(retryConfig.parse(undefined)).toEqual({
      maxRetries: 3,
      baseDelayMs: 1000,
      maxDelayMs: 60_000,
      base: 2,
      jitter: 'full',
      budget: { ratio: 0.2, minPerSecond: 10, windowMs: 10_000 },
      hedge: { quantile: 0.95 },
    });
  });

  it.each([
    { maxRetries: -1 },
    { base: 0.5 },
    { maxDelayMs: 2 ** 31 },
    { jitter: 'some' },
    { budget: { ratio: 2 } },
    { retries: 3 },
  ])('refuses %j', (given) => {
    expect(retryConfig.safeParse(given).success).toBe(false);
  });

  it.each([
    [true, 'full'],
    [false, 'none'],
    ['decorrelated', 'decorrelated'],
  ])('takes %j as jitter', (jitter, expected) => {
    expect(retryConfig.parse({ jitter }).jitter).toBe(expected);
  });

  it('documents every key', () => {
    expect(listSettings(retryConfig)).toHaveLength(11);
  });
});

it('the Nest module gives a client one budget that its policies share', async () => {
  const config = retryConfig.parse({
    maxRetries: 1,
    baseDelayMs: 1,
    timeoutMs: 50,
    budget: { minPerSecond: 0.2 },
    hedge: { delayMs: 5 },
  });
  const module = await Test.createTestingModule({ imports: [RetryModule.register(config)] }).compile();
  const [budget, retry] = [module.get(RetryBudget), module.get(RetryPolicy)];
  let failures = 1;
  const work = () =>
    failures-- > 0
      ? Promise.reject(Object.assign(new Error('503'), { status: 503 }))
      : Promise.resolve('done');
  const context = { id: 'call', signal: new AbortController().signal };
  expect(await retry.execute(work, context)).toBe('done');
  expect(budget.getStatus().granted.retry).toBe(1);
  expect(retry.getStatus().attempts).toMatchObject({ server_error: 1, ok: 1 });
  failures = 5;
  await expect(retry.execute(work, context)).rejects.toThrow('503');
  expect(retry.getStatus().givenUp).toMatchObject({ attempts: 1 });

  // The two attempts that the budget had are gone, so there is none left for a hedge.
  const slow = () => new Promise((resolve) => setTimeout(resolve, 20, 'slow'));
  expect(await module.get(HedgePolicy).execute(slow, context)).toBe('slow');
  expect(budget.getStatus().refused.hedge).toBe(1);
  const never = () => new Promise(() => undefined);
  await expect(module.get(DeadlinePolicy).execute(never, context)).rejects.toMatchObject({
    code: 'deadline_exceeded',
  });
  await module.close();
});
