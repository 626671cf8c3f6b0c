import { hasRedisServer, type PrivateRedis, startRedis } from './redis.ts';

let redis: PrivateRedis | undefined;

/**
 * Gives a Jest run its Redis: that of MORGAN_TEST_REDIS_URL or REDIS_URL, or else a private one. On a machine without
 * redis-server only the tests that ask for `redisUrl()` fail.
 */
export default async function provideRedis(): Promise<void> {
  const given = process.env['MORGAN_TEST_REDIS_URL'] || process.env['REDIS_URL'];
  if (!given && hasRedisServer()) redis = await startRedis();
  process.env['MORGAN_TEST_REDIS_URL'] = given || redis?.url || '';
}

export async function stopRedis(): Promise<void> {
  await redis?.kill();
}
