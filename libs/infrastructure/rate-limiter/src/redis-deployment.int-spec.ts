import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type AppError } from '@morgan/foundation';
import { RedisConnection } from '@morgan/redis';
import { freePort, LocalServer, type PrivateRedis, redisCommand, startRedis, waitFor } from '@morgan/testing';
import { RateLimiter } from './rate-limiter.ts';
import { rateLimiterConfig } from './rate-limiter.config.ts';

const algorithms = ['token-bucket', 'sliding-window'] as const;
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** In a folder of its own, as replicas and nodes of a cluster write files. */
async function redisWith(...options: string[]): Promise<PrivateRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  cleanUps.push(() => rm(folder, { recursive: true }));
  const redis = await startRedis('--dir', folder, ...options);
  cleanUps.push(() => redis.kill());
  return redis;
}

async function connectionTo(url: string, commandTimeoutMs = 300): Promise<RedisConnection> {
  const connection = new RedisConnection({ url, commandTimeoutMs });
  cleanUps.push(() => connection.stop());
  connection.start();
  await waitFor(() => connection.read().up, { what: 'redis' });
  return connection;
}

async function admittedOf(limiter: RateLimiter, asks: number, key: string): Promise<number> {
  let admitted = 0;
  for (let ask = 0; ask < asks; ask += 1) if ((await limiter.tryAcquire(key)).admitted) admitted += 1;
  return admitted;
}

describe('a node of a Redis cluster', () => {
  async function clusterNode(): Promise<PrivateRedis> {
    const port = String(await freePort());
    const node = await redisWith('--cluster-enabled', 'yes', '--cluster-port', port);
    await redisCommand(node.url, 'CLUSTER ADDSLOTSRANGE 0 16383');
    const isReady = async () => (await redisCommand(node.url, 'CLUSTER INFO')).includes('cluster_state:ok');
    await waitFor(isReady, { what: 'the cluster' });
    return node;
  }

  it.each(algorithms)('takes the keys of a %s, whatever they are called', async (algorithm) => {
    const { url } = await clusterNode();
    expect(await redisCommand(url, 'MSET a 1 b 2')).toMatch(/^-CROSSSLOT/);
    // However slow the machine is.
    const redis = await connectionTo(url, 10_000);
    const config = rateLimiterConfig.parse({ algorithm, limit: 3, windowMs: 60_000 });
    for (const name of ['hosts', '}{', '{}']) {
      const limiter = new RateLimiter({ name, ...config, redis });
      for (const key of ['a', '', '{', '}', '}a{', '{}', 'a{b}c', 'ä:b c', '\ud800'])
        expect(await admittedOf(limiter, 5, key)).toBe(3);
      expect(limiter.getStatus().store).toMatchObject({ degraded: false, failures: 0 });
    }
  });
});

/** Where clients find Redis: a name that leads to another server after a failover. What is open stays open. */
class ServiceAddress extends LocalServer {
  #target: string;

  private constructor(target: string) {
    super(createServer((client) => this.#join(client, connect(Number(new URL(this.#target).port)))));
    this.#target = target;
  }

  static async of({ url }: PrivateRedis): Promise<ServiceAddress> {
    const address = new ServiceAddress(url);
    await address.listen();
    cleanUps.push(() => address.close());
    return address;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  leadTo({ url }: PrivateRedis): void {
    this.#target = url;
  }

  #join(...[client, server]: [Socket, Socket]): void {
    client.pipe(server).pipe(client);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const)
      one.on('error', () => undefined).on('close', () => other.destroy());
  }
}

describe('a failover of Redis in mid-traffic', () => {
  const replicationOf = ({ url }: PrivateRedis) => redisCommand(url, 'INFO replication');

  it.each<[string, (primary: PrivateRedis, standby: PrivateRedis) => Promise<unknown>]>([
    ['crashed', (primary) => primary.kill()],
    // Its connections stay, and it answers; only it is no longer the one that takes writes.
    [
      'was made the replica',
      ({ url }, standby) => redisCommand(url, `REPLICAOF 127.0.0.1 ${new URL(standby.url).port}`),
    ],
  ])('from a primary that %s: nobody hangs, and the limit is shared through the other', async (_, fall) => {
    const primary = await redisWith();
    const standby = await redisWith('--replicaof', '127.0.0.1', new URL(primary.url).port);
    const isSynced = async () => (await replicationOf(standby)).includes('master_link_status:up');
    await waitFor(isSynced, { what: 'the standby to be in step', timeoutMs: 10_000 });
    const address = await ServiceAddress.of(primary);
    const config = rateLimiterConfig.parse({ limit: 10, windowMs: 60_000, replicas: 2 });
    const limiters = await Promise.all(
      [1, 2].map(
        async () => new RateLimiter({ name: 'a', ...config, redis: await connectionTo(address.url) }),
      ),
    );
    let slowestMs = 0;
    let isOver = false;
    cleanUps.push(() => (isOver = true));
    const traffic = limiters.map(async (limiter) => {
      while (!isOver) {
        const askedAt = performance.now();
        const refused = await limiter
          .acquire('traffic', 1, { maxWaitMs: 0 })
          .catch((error: AppError) => error);
        expect(refused).not.toMatchObject({ code: 'rate_limiter_unavailable' });
        slowestMs = Math.max(slowestMs, performance.now() - askedAt);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    const [one, two] = limiters as [RateLimiter, RateLimiter];
    const failures = () => limiters.map((limiter) => limiter.getStatus().store.failures);
    await fall(primary, standby);
    await waitFor(() => failures().every((count) => count > 0), { what: 'both to notice' });
    await redisCommand(standby.url, 'REPLICAOF NO ONE');
    address.leadTo(standby);
    const isShared = () => limiters.every((limiter) => !limiter.getStatus().store.degraded);
    await waitFor(isShared, { what: 'the limit to be shared again', timeoutMs: 10_000 });
    isOver = true;
    await Promise.all(traffic);
    expect(slowestMs).toBeLessThan(10_000);
    expect((await admittedOf(one, 7, 'after')) + (await admittedOf(two, 7, 'after'))).toBe(10);
    expect(await redisCommand(standby.url, 'EXISTS morgan:limit:{a:after}')).toBe(':1');
  });
});
