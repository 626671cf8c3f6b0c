import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runSourceProgram, startRedis } from '@morgan/testing';

const CONTENDER = join(import.meta.dirname, '../fixture/contender.ts');

describe('three processes at 100/s each against a shared limit of 100/s', () => {
  interface Contender {
    /** When each admitted ask was sent and when its response came: it was decided in between. */
    readonly admitted: readonly (readonly [number, number])[];
    readonly asked: number;
    readonly failures: number;
  }

  async function contend(algorithm: string) {
    await using redis = await startRedis();
    const contenders = await Promise.all(
      [1, 2, 3].map(
        async () => JSON.parse(await runSourceProgram(CONTENDER, redis.url, algorithm, '4000')) as Contender,
      ),
    );
    const admitted = contenders.flatMap((contender) => contender.admitted);
    const times = admitted.map(([, answeredAt]) => answeredAt).toSorted((left, right) => left - right);
    return {
      admitted,
      asked: contenders.reduce((sum, { asked }) => sum + asked, 0),
      failures: contenders.reduce((sum, { failures }) => sum + failures, 0),
      spanMs: (times.at(-1) ?? 0) - (times[0] ?? 0),
    };
  }

  /** The most that were surely decided within one second, wherever the second begins. */
  const mostInOneSecond = (admitted: Contender['admitted']) =>
    Math.max(
      ...admitted.map(
        ([from]) =>
          admitted.filter(([sentAt, answeredAt]) => sentAt >= from && answeredAt < from + 1_000).length,
      ),
    );

  it('with a sliding window get at most 101 in any second, and not much less', async () => {
    const { admitted, asked, failures, spanMs } = await contend('sliding-window');
    expect(failures).toBe(0);
    expect(asked).toBeGreaterThan(600);
    expect(mostInOneSecond(admitted)).toBeLessThanOrEqual(101);
    expect(admitted.length).toBeGreaterThan((spanMs / 1_000) * 90);
  });

  it('with a token bucket get the burst and then the rate', async () => {
    const { admitted, failures, spanMs } = await contend('token-bucket');
    expect(failures).toBe(0);
    expect(admitted.length).toBeLessThanOrEqual(101 + spanMs / 10);
    expect(admitted.length).toBeGreaterThan((100 + spanMs / 10) * 0.9);
  });
});
