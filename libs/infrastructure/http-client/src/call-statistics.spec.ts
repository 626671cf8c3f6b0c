import { expect, it } from '@jest/globals';
import { CallStatistics } from './call-statistics.ts';

it('the error rate is of the last 256 calls, without those that their caller gave up', () => {
  const statistics = new CallStatistics();
  expect(statistics.figures(0)).toEqual({
    requests: 0,
    errors: 0,
    errorsByCategory: {},
    errorRate: 0,
    latency: undefined,
    inFlight: 0,
  });
  for (let call = 0; call < 64; call += 1) statistics.ended('timeout', 1);
  statistics.ended('cancelled', 1);
  expect(statistics.figures(3)).toMatchObject({
    requests: 65,
    errors: 64,
    errorsByCategory: { timeout: 64, cancelled: 1 },
    errorRate: 1,
    inFlight: 3,
  });
  for (let call = 0; call < 192; call += 1) statistics.ended('ok', 1);
  expect(statistics.figures(0).errorRate).toBe(0.25);
  for (let call = 0; call < 32; call += 1) statistics.ended('ok', 1);
  expect(statistics.figures(0).errorRate).toBe(0.125);
  for (let call = 0; call < 32; call += 1) statistics.ended('ok', 1);
  expect(statistics.figures(0)).toMatchObject({ errors: 64, errorRate: 0 });
});

it('the latencies are those of calls that went well', () => {
  const statistics = new CallStatistics();
  for (let ms = 1; ms <= 100; ms += 1) statistics.ended('ok', ms);
  statistics.ended('timeout', 30_000);
  expect(statistics.figures(0).latency).toEqual({ p50Ms: 50, p95Ms: 95, p99Ms: 99 });
});
