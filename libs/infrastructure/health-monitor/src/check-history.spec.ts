import { describe, expect, it } from '@jest/globals';
import { CheckHistory } from './check-history.ts';
import type { CheckVerdict } from './health-state.ts';

function historyOf(count: number, verdictOf: (index: number) => CheckVerdict = () => 'ok') {
  const history = new CheckHistory();
  for (let index = 1; index <= count; index++) {
    history.add({ at: index, verdict: verdictOf(index), durationMs: index });
  }
  return history;
}

describe('CheckHistory', () => {
  it('is empty at first', () => {
    const history = new CheckHistory();
    expect(history.list()).toEqual([]);
    expect(history.last).toBeUndefined();
    expect(history.responseTimes()).toBeUndefined();
  });

  it.each([1, 99, 100, 101, 250])('of %d checks keeps the last 100 in order', (count) => {
    const history = historyOf(count);
    const kept = history.list().map(({ at }) => at);
    expect(kept).toEqual(
      Array.from({ length: Math.min(count, 100) }, (_, index) => count - kept.length + index + 1),
    );
    expect(history.last?.at).toBe(count);
    expect(history.totals).toEqual({ ok: count, degraded: 0, failed: 0 });
  });

  it('knows the response times of the answered ones', () => {
    const history = historyOf(100, (index) => (index > 50 ? 'failed' : 'ok'));
    expect(history.responseTimes()).toEqual({ lastMs: 50, meanMs: 25.5, p95Ms: 48 });
  });

  it('counts failures and successes in a row, beyond what it keeps', () => {
    const failing = historyOf(200, (index) => (index === 1 ? 'ok' : 'failed'));
    expect([failing.consecutiveFailures, failing.consecutiveSuccesses]).toEqual([199, 0]);
    failing.add({ at: 201, verdict: 'degraded', durationMs: 1 });
    expect([failing.consecutiveFailures, failing.consecutiveSuccesses]).toEqual([0, 1]);
  });
});
