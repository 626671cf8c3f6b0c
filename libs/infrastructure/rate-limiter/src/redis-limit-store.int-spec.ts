import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type AppError, Deadline, silentLogger } from '@morgan/foundation';
import { RedisConnection, RedisScript } from '@morgan/redis';
import { type PrivateRedis, redisCommand, startRedis, waitFor } from '@morgan/testing';
import { RateLimiter } from './rate-limiter.ts';
import { type RateLimiterSettings, rateLimiterConfig } from './rate-limiter.config.ts';

const TIMEOUT_MS = 300;
const algorithms = ['token-bucket', 'sliding-window'] as const;

let redis: PrivateRedis;
const connections: RedisConnection[] = [];
const limiters: RateLimiter[] = [];

async function connect(commandTimeoutMs = TIMEOUT_MS, namespace = 'morgan'): Promise<RedisConnection> {
  const connection = new RedisConnection({ url: redis.url, commandTimeoutMs, namespace });
  connections.push(connection);
  connection.start();
  await waitFor(() => connection.read().up, { what: 'redis' });
  return connection;
}

/** Without Redis it would look for it for ever: it is stopped after the test. */
function open(limiter: RateLimiter): RateLimiter {
  limiters.push(limiter);
  return limiter;
}

/** As many limiters over one limit as are asked for, each with a connection of its own. */
async function replicas(
  count: number,
  given: Partial<RateLimiterSettings>,
  commandTimeoutMs?: number,
): Promise<RateLimiter[]> {
  const config = rateLimiterConfig.parse({ limit: 10, windowMs: 60_000, replicas: count, ...given });
  const name = randomUUID();
  return Promise.all(
    Array.from({ length: count }, async () =>
      open(new RateLimiter({ name, ...config, redis: await connect(commandTimeoutMs) })),
    ),
  );
}

/** How many of so many asks, one after the other, are admitted. */
async function admittedOf(limiter: RateLimiter, asks: number, key = 'a'): Promise<number> {
  let admitted = 0;
  for (let ask = 0; ask < asks; ask += 1) if ((await limiter.tryAcquire(key)).admitted) admitted += 1;
  return admitted;
}

const degraded = (limiter: RateLimiter) => limiter.getStatus().store.degraded;

/** Nobody asks meanwhile: it is found out without callers. */
const shared = (limiter: RateLimiter) =>
  waitFor(() => !degraded(limiter), { what: 'the limit to be shared again', timeoutMs: 10_000 });

beforeAll(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  for (const limiter of limiters.splice(0)) limiter.stop();
  await Promise.all(connections.splice(0).map((connection) => connection.stop()));
});
afterAll(async () => {
  await redis.kill();
});

describe.each(algorithms)('a shared limit with a %s', (algorithm) => {
  it('is one limit for all replicas, and each key has its own', async () => {
    const [one, two] = (await replicas(2, { algorithm })) as [RateLimiter, RateLimiter];
    expect(await admittedOf(one, 7)).toBe(7);
    expect(await admittedOf(two, 7)).toBe(3);
    expect(await admittedOf(two, 3, 'b} {')).toBe(3);
    expect((await two.inspect('b} {')).used).toBeCloseTo(3, 1);
  });

  it('is one for each namespace of Redis', async () => {
    const config = rateLimiterConfig.parse({ limit: 10, windowMs: 60_000, algorithm });
    const name = randomUUID();
    const inNamespace = async (namespace: string) =>
      open(new RateLimiter({ name, ...config, redis: await connect(TIMEOUT_MS, namespace) }));
    expect(await admittedOf(await inNamespace('one'), 11)).toBe(10);
    expect(await admittedOf(await inNamespace('{two}'), 11)).toBe(10);
    expect(await admittedOf(await inNamespace('one'), 1)).toBe(0);
  });

  it('says exactly after how long a refused ask is admitted', async () => {
    const [limiter] = (await replicas(1, { algorithm, windowMs: 400 })) as [RateLimiter];
    const startedAt = performance.now();
    await limiter.acquire('a', 10);
    const error = (await limiter
      .acquire('a', 5, { maxWaitMs: 0 })
      .catch((cause: unknown) => cause)) as AppError;
    const expected = algorithm === 'token-bucket' ? 200 : 400;
    expect(error).toMatchObject({ code: 'rate_limited' });
    expect(error.retryAfterMs).toBeGreaterThan(expected - (performance.now() - startedAt) - 1);
    expect(error.retryAfterMs).toBeLessThanOrEqual(expected + 2);
    await limiter.acquire('a', 5);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(expected - 1);
  });

  it('serves those who wait in their order, and lets go of those who abort', async () => {
    const [limiter] = (await replicas(1, { algorithm, windowMs: 300 })) as [RateLimiter];
    await limiter.acquire('a', 10);
    const controller = new AbortController();
    const order: string[] = [];
    const wait = (name: string, cost: number) => limiter.acquire('a', cost).then(() => order.push(name));
    const gone = limiter.acquire('a', 10, { signal: controller.signal }).catch(() => order.push('gone'));
    const all = [gone, wait('large', 8), wait('small', 1), wait('last', 1)];
    controller.abort();
    await Promise.all(all);
    expect(order).toEqual(['gone', 'large', 'small', 'last']);
    expect(limiter.getStatus()).toMatchObject({ aborted: 1, waiting: 0 });
    expect((await limiter.inspect('a')).used).toBeLessThanOrEqual(10);
  });

  it('gives back what was admitted for a caller that had gone meanwhile', async () => {
    const [limiter] = (await replicas(1, { algorithm })) as [RateLimiter];
    const controller = new AbortController();
    const gone = limiter.acquire('a', 8, { signal: controller.signal });
    const behind = limiter.acquire('a', 1);
    controller.abort();
    await expect(gone).rejects.toBe(controller.signal.reason);
    await behind;
    await waitFor(async () => (await limiter.inspect('a')).used < 2, { what: 'the return of the units' });
  });

  it('gives nothing back that has come back by itself meanwhile', async () => {
    const [limiter] = (await replicas(1, { algorithm, windowMs: 1_000 })) as [RateLimiter];
    const early = await limiter.acquire('a', 5);
    await waitFor(async () => (await limiter.inspect('a')).used === 0, { what: 'the window to be over' });
    await limiter.acquire('a', 10);
    early.settle(0);
    expect((await limiter.inspect('a')).used).toBeGreaterThan(7.5);
  });

  it('lets nobody wait for those who are refused in the same round', async () => {
    const [limiter] = (await replicas(1, { algorithm, windowMs: 1_000 })) as [RateLimiter];
    await limiter.acquire('a', 10);
    const first = limiter.tryAcquire('a');
    const impatient = limiter.tryAcquire('a', 10);
    const maxWaitMs = algorithm === 'token-bucket' ? 600 : 1_500;
    const patient = limiter.acquire('a', 1, { maxWaitMs });
    expect([(await first).admitted, (await impatient).admitted]).toEqual([false, false]);
    expect((await patient).admitted).toBe(true);
  });

  it('is penalized, drained and settled for all', async () => {
    const [one, two] = (await replicas(2, { algorithm })) as [RateLimiter, RateLimiter];
    await one.penalize('blocked', 5_000);
    await one.penalize('blocked', 1);
    const blocked = await two.tryAcquire('blocked');
    expect(blocked.admitted ? 0 : blocked.retryAfterMs).toBeGreaterThan(4_000);
    await one.drain('drained');
    expect((await two.inspect('drained')).utilisation).toBeCloseTo(1, 2);
    const permit = await one.acquire('settled', 8);
    permit.settle(2);
    await waitFor(async () => (await two.inspect('settled')).used < 3, { what: 'the settlement' });
    expect((await two.inspect('settled')).used).toBeCloseTo(2, 1);
    permit.settle(12);
    await waitFor(async () => (await two.inspect('settled')).used > 11, { what: 'the settlement' });
  });

  it('leaves nothing in Redis when its window is over', async () => {
    const [limiter] = (await replicas(1, { algorithm, windowMs: 1_000 })) as [RateLimiter];
    const connection = await connect();
    const state = `morgan:limit:{${limiter.name}:a}`;
    const keys = [state, `${state}:log`];
    const count = new RedisScript("return redis.call('EXISTS', KEYS[1], KEYS[2])");
    const left = () => connection.run(count, keys, []);
    await admittedOf(limiter, 5);
    expect(await left()).toBeGreaterThan(0);
    await waitFor(async () => (await left()) === 0, { what: 'the keys to expire' });
  });

  it.each([
    ['text in place of its state', (key: string) => [`SET ${key} text`]],
    [
      'words in place of numbers',
      (key: string) => [`HSET ${key} blocked a full b last c used d seen e ahead f`],
    ],
    ['text in place of its log', (key: string) => [`SET ${key}:log text`]],
    ['words in its log', (key: string) => [`RPUSH ${key}:log a b`]],
  ])('begins anew with a key that has %s', async (_, commands) => {
    const [one, two] = (await replicas(2, { algorithm })) as [RateLimiter, RateLimiter];
    for (const command of commands(`morgan:limit:{${one.name}:a}`)) await redisCommand(redis.url, command);
    expect(await admittedOf(one, 6)).toBe(6);
    expect(await admittedOf(two, 6)).toBe(4);
    expect(one.getStatus().store).toMatchObject({ degraded: false, failures: 0 });
  });

  it('survives a crash of Redis in mid-traffic: nobody hangs, each takes its part, and it is shared again', async () => {
    const [one, two] = (await replicas(2, { algorithm, windowMs: 1_000, limit: 100 })) as [
      RateLimiter,
      RateLimiter,
    ];
    let slowestMs = 0;
    let running = true;
    const traffic = [one, two, one, two].map(async (limiter) => {
      while (running) {
        const startedAt = performance.now();
        await limiter.acquire('traffic', 1, { maxWaitMs: 50 }).catch((error: AppError) => {
          expect(error.code).toBe('rate_limited');
        });
        slowestMs = Math.max(slowestMs, performance.now() - startedAt);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    await redis.kill();
    await waitFor(() => degraded(one) && degraded(two), { what: 'both to notice' });
    const startedAt = performance.now();
    const part = await admittedOf(one, 60, 'fresh');
    expect(part).toBeGreaterThanOrEqual(50);
    expect(part).toBeLessThanOrEqual(50 + Math.ceil((performance.now() - startedAt) / 20));
    await redis.restart();
    await waitFor(() => !degraded(one) && !degraded(two), { what: 'both to return', timeoutMs: 10_000 });
    running = false;
    await Promise.all(traffic);
    expect(slowestMs).toBeLessThan(10_000);
    const returnedAt = performance.now();
    const after = (await admittedOf(one, 70, 'after')) + (await admittedOf(two, 70, 'after'));
    expect(after).toBeGreaterThanOrEqual(100);
    expect(after).toBeLessThanOrEqual(100 + Math.ceil((performance.now() - returnedAt) / 10));
  });
});

describe('the log', () => {
  it.each([
    ['refuses scripts', 'ERR', ['--rename-command', 'EVALSHA', ''], () => Promise.resolve()],
    ['is gone', 'no connection', [], (gone: PrivateRedis) => gone.kill()],
  ])(
    'says why a Redis that %s is not used, and nothing of what it was asked',
    async (_, reason, args, end) => {
      const said: unknown[] = [];
      await using server = await startRedis(...args);
      const connection = new RedisConnection({ url: server.url, commandTimeoutMs: TIMEOUT_MS });
      connections.push(connection);
      connection.start();
      await waitFor(() => connection.read().up, { what: 'redis' });
      const config = rateLimiterConfig.parse({ limit: 10, windowMs: 60_000 });
      const logger = { ...silentLogger, warn: (fields: object) => void said.push(fields) };
      const limiter = open(new RateLimiter({ name: 'a', ...config, redis: connection, logger }));
      await end(server);
      expect(await admittedOf(limiter, 3, 'a-caller')).toBe(3);
      expect(said).toEqual([{ limiter: 'a', mode: 'local-share', reason }]);
    },
  );
});

describe('a Redis that is gone', () => {
  it('is tried every 200 ms, however many ask', async () => {
    const [limiter] = (await replicas(1, { onStoreFailure: 'open' })) as [RateLimiter];
    await redis.kill();
    try {
      const startedAt = performance.now();
      const elapsed = () => performance.now() - startedAt;
      const failures = () => limiter.getStatus().store.failures;
      // The ask that found it out, and the tries that are due after 200 and 400 ms.
      await waitFor(async () => (await admittedOf(limiter, 50)) === 50 && failures() >= 3, {
        what: 'the second try',
      });
      expect(failures()).toBeLessThanOrEqual(2 + elapsed() / 200);
    } finally {
      await redis.restart();
    }
  });

  it('gives back no more than it took of a cost above its share', async () => {
    const [limiter] = (await replicas(4, { limit: 100, windowMs: 3_600_000 })) as [RateLimiter];
    await redis.kill();
    try {
      const permit = await limiter.acquire('a', 80);
      expect(degraded(limiter)).toBe(true);
      expect((await limiter.inspect('a')).used).toBeCloseTo(25, 1);
      permit.settle(60);
      expect((await limiter.inspect('a')).used).toBeCloseTo(25, 1);
      expect(await admittedOf(limiter, 20)).toBe(0);
    } finally {
      await redis.restart();
    }
  });

  it('takes no penalty and no drain with it', async () => {
    const [limiter] = (await replicas(1, {})) as [RateLimiter];
    await limiter.penalize('blocked', 60_000);
    await limiter.drain('drained');
    await redis.kill();
    try {
      const admitted = [await admittedOf(limiter, 1, 'blocked'), await admittedOf(limiter, 1, 'drained')];
      expect([...admitted, degraded(limiter)]).toEqual([0, 0, true]);
    } finally {
      await redis.restart();
    }
  });
});

describe('a Redis that hangs', () => {
  it('is told of once, however many were asking it', async () => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (_: object, message: string) => void warnings.push(message) };
    const config = rateLimiterConfig.parse({ limit: 10 });
    const parts = { redis: await connect(), logger };
    const limiter = open(new RateLimiter({ name: randomUUID(), ...config, ...parts }));
    redis.pause();
    try {
      await Promise.all(['a', 'b', 'c', 'd'].map((key) => limiter.tryAcquire(key)));
      expect(limiter.getStatus().store.failures).toBe(4);
      expect(warnings).toEqual(['rate limit is not shared: redis failed']);
    } finally {
      redis.resume();
    }
    await shared(limiter);
  });

  describe('when the limiter is stopped during a try', () => {
    /** A limiter that has found Redis gone, what it has asked since, and what it has said of it. */
    async function lost() {
      const told: string[] = [];
      const tell = (_: object, message: string) => void told.push(message);
      const asked: Promise<unknown>[] = [];
      const connection = await connect();
      const run: RedisConnection['run'] = (...command) => {
        const answer = connection.run(...command);
        asked.push(answer.catch(() => undefined));
        return answer;
      };
      const parts = {
        redis: { run } as RedisConnection,
        logger: { ...silentLogger, warn: tell, info: tell },
      };
      const limiter = open(
        new RateLimiter({ name: randomUUID(), ...rateLimiterConfig.parse({ limit: 10 }), ...parts }),
      );
      const isTrying = () => waitFor(() => asked.length === 2, { what: 'a try' });
      return { limiter, asked, told, isTrying };
    }

    it('is not spoken of when it answers', async () => {
      const { limiter, asked, told, isTrying } = await lost();
      redis.pause();
      try {
        await limiter.tryAcquire('a');
        await isTrying();
        limiter.stop();
      } finally {
        redis.resume();
      }
      await Promise.all(asked);
      expect(told).toEqual(['rate limit is not shared: redis failed']);
    });

    it('is not tried again when it does not', async () => {
      const stopped = await lost();
      const other = await lost();
      redis.pause();
      try {
        await Promise.all([stopped.limiter.tryAcquire('a'), other.limiter.tryAcquire('a')]);
        await stopped.isTrying();
        stopped.limiter.stop();
        await Promise.all(stopped.asked);
        const sofar = other.asked.length;
        await waitFor(() => other.asked.length >= sofar + 2, { what: 'two tries of a limiter that goes on' });
        expect(stopped.asked).toHaveLength(2);
      } finally {
        redis.resume();
      }
    });
  });

  it('costs one caller the command timeout and the others nothing, and is used again when it answers', async () => {
    const [limiter] = (await replicas(1, { onStoreFailure: 'open' })) as [RateLimiter];
    expect(await admittedOf(limiter, 1)).toBe(1);
    redis.pause();
    try {
      const startedAt = performance.now();
      await limiter.acquire('a');
      expect(performance.now() - startedAt).toBeGreaterThanOrEqual(TIMEOUT_MS - 5);
      expect(degraded(limiter)).toBe(true);
      // A command to Redis would take the whole timeout, and fail.
      const slow = redisCommand(redis.url, 'PING').then(() => 'redis');
      const others = Promise.all([admittedOf(limiter, 100), limiter.penalize('c', 1), limiter.drain('c')]);
      expect(await Promise.race([slow, others])).toEqual([100, undefined, undefined]);
      redis.resume();
      await slow;
    } finally {
      redis.resume();
    }
    await shared(limiter);
    expect(limiter.getStatus().store).toMatchObject({ kind: 'redis', degraded: false });
    expect(await admittedOf(limiter, 20, 'b')).toBe(10);
  });

  it('holds nobody beyond the wait that was in prospect, with the time that it had named', async () => {
    const [limiter] = (await replicas(1, { limit: 1, windowMs: 800 }, 60_000)) as [RateLimiter];
    await limiter.acquire('a');
    const waiting = limiter.acquire('a', 1, { maxWaitMs: 850 });
    const refused = expect(waiting).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 1 });
    // Behind this answer a time is named; it is over while Redis is asked again.
    await limiter.inspect('a');
    redis.pause();
    try {
      await refused;
      expect(limiter.getStatus()).toMatchObject({ refused: 1, waiting: 0, store: { degraded: false } });
    } finally {
      redis.resume();
    }
  });

  it('says what has been used also while it is gone, as far as it is known here', async () => {
    const [limiter] = (await replicas(1, {})) as [RateLimiter];
    redis.pause();
    try {
      expect((await limiter.inspect('a')).used).toBe(0);
      expect(degraded(limiter)).toBe(true);
      await limiter.acquire('a', 3);
      expect((await limiter.inspect('a')).used).toBeCloseTo(3, 1);
    } finally {
      redis.resume();
    }
  });

  it('refuses everybody at once when it is configured to fail closed', async () => {
    const [limiter] = (await replicas(1, { onStoreFailure: 'closed' })) as [RateLimiter];
    redis.pause();
    try {
      const refused = limiter.acquire('a');
      await expect(refused).rejects.toMatchObject({ code: 'rate_limiter_unavailable', kind: 'unavailable' });
      const { failures } = limiter.getStatus().store;
      await expect(limiter.tryAcquire('a')).rejects.toMatchObject({ code: 'rate_limiter_unavailable' });
      expect(limiter.getStatus().store.failures).toBe(failures);
    } finally {
      redis.resume();
    }
    await waitFor(() => limiter.tryAcquire('a').then(({ admitted }) => admitted), { what: 'the return' });
  });

  it('does not hold a caller beyond its abort or its deadline', async () => {
    const [limiter] = (await replicas(1, {}, 60_000)) as [RateLimiter];
    redis.pause();
    let isOver = false;
    // Nothing ends this one but Redis.
    const patient = limiter.acquire('d').finally(() => (isOver = true));
    try {
      const waiting = limiter.acquire('a', 1, { signal: AbortSignal.timeout(20) });
      const hurried = limiter.acquire('b', 1, { deadline: Deadline.after(20) });
      const impatient = limiter.acquire('c', 1, { deadline: Deadline.after(40), maxWaitMs: 1 });
      const refused = { code: 'rate_limiter_unavailable' };
      await Promise.all([
        expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' }),
        expect(hurried).rejects.toMatchObject(refused),
        expect(impatient).rejects.toMatchObject(refused),
      ]);
      expect(isOver).toBe(false);
    } finally {
      redis.resume();
    }
    expect(await patient).toMatchObject({ admitted: true });
  });
});
