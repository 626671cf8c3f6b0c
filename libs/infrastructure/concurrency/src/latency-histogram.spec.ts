import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seededRandom } from '../fixture/queueing-model.ts';
import { LatencyHistogram } from './latency-histogram.ts';

describe('a latency histogram', () => {
  it('knows nothing at first', () => {
    expect(new LatencyHistogram().quantile(0.5)).toBeUndefined();
  });

  it('is never below the true quantile and at most 10 % above it', () => {
    const latency = fc.double({ min: 0.2, max: 3_600_000, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(latency, { minLength: 1, maxLength: 900, size: 'max' }),
        fc.double({ min: 0.01, max: 0.999, noNaN: true }),
        (latencies, share) => {
          const histogram = new LatencyHistogram();
          latencies.forEach((ms) => histogram.record(ms));
          const sorted = latencies.toSorted((left, right) => left - right);
          const truth = sorted[Math.ceil(share * sorted.length) - 1] as number;
          const error = (histogram.quantile(share) as number) / truth;
          expect(error).toBeGreaterThan(1 - 1e-9);
          expect(error).toBeLessThan(1.1 + 1e-9);
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it.each([0, -5, 0.05])('takes %d ms as the shortest latency it knows', (ms) => {
    const histogram = new LatencyHistogram();
    histogram.record(ms);
    expect(histogram.quantile(0.99)).toBeCloseTo(0.1);
  });

  it('takes a latency beyond its scale as the longest it knows', () => {
    const histogram = new LatencyHistogram();
    histogram.record(1e12);
    expect(histogram.quantile(0.99)).toBeGreaterThan(7_200_000);
  });

  it('forgets: after 8,000 faster samples the old ones no longer count in the p99', () => {
    const histogram = new LatencyHistogram();
    const random = seededRandom(3);
    for (let sample = 0; sample < 5_000; sample += 1) histogram.record(1_000 * (1 + random()));
    for (let sample = 0; sample < 8_000; sample += 1) histogram.record(10 * (1 + random()));
    expect(histogram.quantile(0.99)).toBeLessThan(22);
  });
});
