import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RedisConnection, RedisScript } from '@morgan/redis';
import { type PrivateRedis, startRedis, waitFor } from '@morgan/testing';
import fc from 'fast-check';
import { type Algorithm, capacityOf, type Limit } from './limit.ts';
import { LIMIT_SCRIPTS } from './limit-scripts.ts';
import { LocalLimitStore } from './local-limit-store.ts';

let redis: PrivateRedis;
let connection: RedisConnection;

beforeAll(async () => {
  redis = await startRedis();
  connection = new RedisConnection({ url: redis.url, commandTimeoutMs: 5_000 });
  connection.start();
  await waitFor(() => connection.read().up, { what: 'redis' });
});
afterEach(() => void jest.restoreAllMocks());
afterAll(async () => {
  await connection.stop();
  await redis.kill();
});

/** The script on a clock that the test sets, in µs, as its last argument; what it keeps is kept for good. */
function onTestClock(algorithm: Algorithm): RedisScript {
  const source = LIMIT_SCRIPTS[algorithm].source
    .replace("local time = redis.call('TIME')", '')
    .replace(/local now = .*/, 'local now = tonumber(table.remove(ARGV))')
    .replaceAll("redis.call('PEXPIRE', ", 'tostring(');
  return new RedisScript(source);
}

const SCRIPTS = {
  'token-bucket': onTestClock('token-bucket'),
  'sliding-window': onTestClock('sliding-window'),
};

/** A unit is as large as a tenth of what fits at once. */
const amount = fc.oneof(
  fc.double({ min: 0.1, max: 10, noNaN: true }),
  fc.double({ min: 0.01, max: 0.2, noNaN: true }),
);
const steps = fc.array(
  fc.record({
    pauseMs: fc.oneof(
      { weight: 6, arbitrary: fc.nat(6) },
      { weight: 2, arbitrary: fc.nat(100) },
      { weight: 1, arbitrary: fc.nat(1_500) },
    ),
    what: fc.oneof(
      {
        weight: 8,
        arbitrary: fc.record({
          operation: fc.constant('decide' as const),
          /** Twice in three asks nobody waits yet. */
          ahead: fc.oneof(fc.constant(0), fc.constant(0), amount),
          asks: fc.array(fc.record({ cost: amount, patienceMs: fc.integer({ min: 0, max: 3_000 }) }), {
            minLength: 1,
            maxLength: 4,
          }),
        }),
      },
      {
        weight: 3,
        /** One of the last that were admitted turns out to have cost something else. */
        arbitrary: fc.record({ operation: fc.constant('correct' as const), which: fc.nat(2), cost: amount }),
      },
      { weight: 1, arbitrary: fc.record({ operation: fc.constant('penalize' as const), ms: fc.nat(500) }) },
      { weight: 1, arbitrary: fc.record({ operation: fc.constant('drain' as const) }) },
    ),
  }),
  { maxLength: 150, size: 'max' },
);

/** The same key, in this process and in Redis, at the same moments. */
class Twins {
  #nowUs = 1_000_000;
  readonly #local: LocalLimitStore;
  readonly #keys: string[];
  /** What was admitted: when, and for how much. */
  readonly #admitted: { readonly atUs: number; cost: number }[] = [];

  constructor(private readonly limit: Limit) {
    this.#local = new LocalLimitStore(limit);
    const state = randomUUID();
    this.#keys = [state, `${state}:log`];
    jest.spyOn(performance, 'now').mockImplementation(() => this.#nowUs / 1000);
  }

  pause(ms: number): void {
    this.#nowUs += ms * 1000;
  }

  /** Per ask the wait of each in µs; 0: admitted. */
  async decide(ahead: number, asks: readonly { cost: number; patienceMs: number }[]) {
    const { waits } = this.#local.decideNow('a', asks, ahead);
    const operands = asks.flatMap(({ cost, patienceMs }) => [cost, patienceMs * 1000]);
    const [, ...theirs] = (await this.#ask('decide', [ahead, ...operands])) as number[];
    waits.forEach((wait, index) => {
      const { cost = 0 } = asks[index] ?? {};
      if (wait === 0) this.#admitted.push({ atUs: this.#nowUs, cost });
    });
    return waits.map((wait, index) => [wait * 1000, theirs[index] ?? NaN] as const);
  }

  async correct(which: number, cost: number): Promise<void> {
    const admitted = this.#admitted.at(-1 - which);
    if (!admitted) return;
    const delta = cost - admitted.cost;
    admitted.cost = cost;
    this.#local.correct('a', { takenAt: admitted.atUs / 1000, from: cost - delta, to: cost });
    await this.#ask('correct', [admitted.atUs, delta]);
  }

  async penalize(ms: number): Promise<void> {
    await Promise.all([this.#local.penalize('a', ms), this.#ask('penalize', [ms * 1000])]);
  }

  async drain(): Promise<void> {
    await Promise.all([this.#local.drain('a'), this.#ask('drain', [])]);
  }

  async used(): Promise<[number, number]> {
    return [await this.#local.used('a'), Number(await this.#ask('used', []))];
  }

  #ask(operation: string, operands: readonly number[]): Promise<unknown> {
    const { limit, windowMs, burst, algorithm } = this.limit;
    const settings = [limit, windowMs * 1000, burst];
    return connection.run(SCRIPTS[algorithm], this.#keys, [...settings, operation, ...operands, this.#nowUs]);
  }
}

function expectAlike(waits: readonly (readonly [number, number])[]): void {
  for (const [own, theirs] of waits) {
    expect(theirs === 0).toBe(own === 0);
    // The script says whole microseconds.
    expect(Math.abs(theirs - own)).toBeLessThan(1.01);
  }
}

describe.each<Algorithm>(['token-bucket', 'sliding-window'])('the script of a %s', (algorithm) => {
  it('decides as the meter in the process does, whatever happens to a key', async () => {
    const limits = fc.record({
      limit: fc.integer({ min: 1, max: 50 }),
      burst: fc.integer({ min: 1, max: 50 }),
    });
    const property = fc.asyncProperty(limits, steps, async (given, all) => {
      const limit = { algorithm, windowMs: 1_000, ...given };
      const unit = capacityOf(limit) / 10;
      const twins = new Twins(limit);
      for (const { pauseMs, what } of all) {
        twins.pause(pauseMs);
        if (what.operation === 'decide') {
          const asks = what.asks.map(({ cost, patienceMs }) => ({ cost: cost * unit, patienceMs }));
          expectAlike(await twins.decide(what.ahead * unit, asks));
        } else if (what.operation === 'correct') await twins.correct(what.which, what.cost * unit);
        else if (what.operation === 'penalize') await twins.penalize(what.ms);
        else await twins.drain();
        const [own, theirs] = await twins.used();
        expect(theirs).toBeCloseTo(own, 4);
      }
    });
    await fc.assert(property, { numRuns: 30 });
  });

  it('says how long to wait for many small ones that went before', async () => {
    const twins = new Twins({ algorithm, windowMs: 1_000, limit: 100, burst: 100 });
    for (let ask = 0; ask < 100; ask += 1) {
      twins.pause(2);
      await twins.decide(0, [{ cost: 1, patienceMs: 0 }]);
    }
    for (const cost of [10, 40, 70, 100]) expectAlike(await twins.decide(0, [{ cost, patienceMs: 0 }]));
  });

  it('holds nobody up for as long as the clock of Redis is set back, and lets nothing more through for it', async () => {
    const keys = [randomUUID(), randomUUID()];
    const HOUR_US = 3_600_000_000;
    const decide = async (atUs: number) => {
      const operands = [10, 1_000_000, 10, 'decide', 0, 5, 0, atUs];
      return (await connection.run(SCRIPTS[algorithm], keys, operands)) as [number, number];
    };
    const [takenAt] = await decide(HOUR_US);
    expect((await decide(HOUR_US))[1]).toBe(0);
    const [, wait] = await decide(0);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(1_001_000);
    expect((await decide(1_001_000))[1]).toBe(0);
    // What was taken before is given back on the same clock.
    await connection.run(SCRIPTS[algorithm], keys, [10, 1_000_000, 10, 'correct', takenAt, -5, 1_001_000]);
    expect((await decide(1_001_000))[1]).toBe(0);
    expect((await decide(1_001_000))[1]).toBeGreaterThan(0);
  });
});
