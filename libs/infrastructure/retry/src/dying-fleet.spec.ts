import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { compose } from '@morgan/foundation';
import { HedgePolicy } from './hedge.policy.ts';
import { RetryBudget } from './retry-budget.ts';
import { RetryPolicy } from './retry.policy.ts';

const PER_SECOND = 200;
const SECONDS = 20;
const broken = () => Object.assign(new Error('503'), { status: 503 });

describe('a fleet with 200 calls a second', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** Sends the traffic; gives what the fleet saw and how many calls failed. */
  const simulate = async (budget: RetryBudget, host: (attempt: number) => Promise<string>) => {
    const retry = new RetryPolicy({ budget });
    const client = compose(budget, retry, new HedgePolicy({ budget, delayMs: 100 }));
    const context = { id: 'call', signal: new AbortController().signal };
    const seen: number[] = [];
    let failed = 0;
    for (let tick = 0; tick < SECONDS * 100; tick += 1) {
      for (let n = 0; n < PER_SECOND / 100; n += 1)
        void client.execute(() => host(seen.push(performance.now())), context).catch(() => (failed += 1));
      await jest.advanceTimersByTimeAsync(10);
    }
    const duringTraffic = seen.length;
    await jest.runAllTimersAsync();
    const calls = PER_SECOND * SECONDS;
    const worst = worstWindow(seen) / (PER_SECOND * 10);
    return { load: duringTraffic / calls, worst, failedShare: failed / calls, status: budget.getStatus() };
  };
  /** The most attempts in any ten seconds. */
  const worstWindow = (seen: readonly number[]) => {
    let [most, begin] = [0, 0];
    seen.forEach((atMs, end) => {
      while (atMs - (seen[begin] as number) >= 10_000) begin += 1;
      most = Math.max(most, end - begin + 1);
    });
    return most;
  };

  it('that is dead sees no more than a fifth and ten a second on top', async () => {
    const { load, worst, failedShare } = await simulate(new RetryBudget(), () => Promise.reject(broken()));
    expect(failedShare).toBe(1);
    expect(load).toBeGreaterThan(1.2);
    expect(load).toBeLessThanOrEqual(1.2 + 10 / PER_SECOND + 100 / (PER_SECOND * SECONDS));
    expect(worst).toBeLessThanOrEqual(1.2 + 10 / PER_SECOND);
  });

  it('that is dead would see four times its load without a budget', async () => {
    const endless = new RetryBudget({ minPerSecond: 1e9 });
    const { load } = await simulate(endless, () => Promise.reject(broken()));
    expect(load).toBeGreaterThan(3.5);
  });

  it('that is slow and failing sees no more either, as hedges draw on the same budget', async () => {
    const slow = () => new Promise<never>((_, reject) => setTimeout(reject, 300, broken()));
    const { load, worst, status } = await simulate(new RetryBudget(), slow);
    expect(Math.min(status.granted.hedge, status.granted.retry)).toBeGreaterThan(0);
    expect(load).toBeLessThanOrEqual(1.2 + 10 / PER_SECOND + 100 / (PER_SECOND * SECONDS));
    expect(worst).toBeLessThanOrEqual(1.2 + 10 / PER_SECOND);
  });

  it('that fails one time in twenty has its faults hidden', async () => {
    const { failedShare, load } = await simulate(new RetryBudget(), (attempt) =>
      attempt % 20 === 0 ? Promise.reject(broken()) : Promise.resolve('done'),
    );
    expect(failedShare).toBeLessThan(0.001);
    expect(load).toBeLessThan(1.06);
  });
});
