import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runSourceProgram, startRedis } from '@morgan/testing';

const CONTENDER = join(import.meta.dirname, '../fixture/contender.ts');

/** By so much the clocks of processes differ, in milliseconds. */
const CLOCK_MS = 20;

/** When an ask was sent and when its response came: it was decided in between. */
type Times = readonly [sentAt: number, decidedAt: number];

interface Contention {
  readonly admitted: readonly Times[];
  readonly refused: readonly Times[];
  readonly failures: number;
}

describe('three processes at 100/s each against a shared limit of 100/s', () => {
  async function contend(algorithm: string): Promise<Contention> {
    await using redis = await startRedis();
    const contenders = await Promise.all(
      [1, 2, 3].map(
        async () => JSON.parse(await runSourceProgram(CONTENDER, redis.url, algorithm, '3000')) as Contention,
      ),
    );
    return {
      admitted: contenders.flatMap(({ admitted }) => admitted),
      refused: contenders.flatMap(({ refused }) => refused),
      failures: contenders.reduce((sum, { failures }) => sum + failures, 0),
    };
  }

  /** The most that were surely decided within one second, wherever the second begins. */
  const mostInOneSecond = ({ admitted }: Contention) =>
    Math.max(
      ...admitted.map(
        ([from]) =>
          admitted.filter(([sentAt, decidedAt]) => sentAt >= from && decidedAt < from + 1_000 - CLOCK_MS)
            .length,
      ),
    );

  /** The fewest that may have been admitted in the second before a refusal: how full the limit was at least. */
  const fewestBeforeRefusal = ({ admitted, refused }: Contention) =>
    Math.min(
      ...refused.map(
        ([from, to]) =>
          admitted.filter(
            ([sentAt, decidedAt]) => decidedAt > from - 1_000 - CLOCK_MS && sentAt < to + CLOCK_MS,
          ).length,
      ),
    );

  it('with a sliding window get at most 101 in any second, and are refused only then', async () => {
    const contention = await contend('sliding-window');
    expect(contention.failures).toBe(0);
    expect(mostInOneSecond(contention)).toBeLessThanOrEqual(101);
    expect(fewestBeforeRefusal(contention)).toBeGreaterThanOrEqual(100);
  });

  it('with a token bucket get the burst and then the rate, and are refused only then', async () => {
    const contention = await contend('token-bucket');
    const { admitted, failures } = contention;
    const firstSentAt = Math.min(...admitted.map(([sentAt]) => sentAt));
    const lastDecidedAt = Math.max(...admitted.map(([, decidedAt]) => decidedAt));
    expect(failures).toBe(0);
    expect(admitted.length).toBeLessThanOrEqual(101 + (lastDecidedAt - firstSentAt + CLOCK_MS) / 10);
    expect(fewestBeforeRefusal(contention)).toBeGreaterThanOrEqual(99);
  });
});
