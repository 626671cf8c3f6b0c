import { RedisConnection, RedisGuard } from './src/index.ts';

export async function useRedis(url: string, say: (line: string) => void): Promise<void> {
  const redis = new RedisConnection({ url, commandTimeoutMs: 1_000 });
  redis.start(); // connects in the background, and again for as long as it takes
  while (!redis.read().up) await new Promise((resolve) => setTimeout(resolve, 5)); // the health indicator

  await redis.setBuffers([['example', Buffer.from('value')]], 60); // one round trip, 60 seconds to live
  say(String((await redis.getBuffers(['example', 'none'])).map(String))); // value,null

  const guard = new RedisGuard({ name: 'cache', timeoutMs: 1_000 }); // for uses that have a substitute
  const read = () =>
    guard.run(
      () => redis.getBuffers(['example']),
      () => [null],
    );
  say(String(await read())); // value
  guard.stop();
  await redis.stop();
}
