import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { type PrivateRedis, redisUrl, startRedis } from './redis.ts';
import { redisCommand } from './redis-command.ts';
import { waitFor } from './wait-for.ts';

describe('startRedis', () => {
  let redis: PrivateRedis;

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterAll(() => redis.kill());

  it('dies and comes back empty on the same port', async () => {
    expect(await redisCommand(redis.url, 'SET key value')).toBe('+OK');
    await redis.kill();
    await expect(redisCommand(redis.url, 'PING')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await redis.restart();
    expect(await redisCommand(redis.url, 'GET key')).toBe('$-1');
  });

  it('hangs while it is paused', async () => {
    redis.pause();
    let isAnswered = false;
    const answer = redisCommand(redis.url, 'PING').then((text) => {
      isAnswered = true;
      return text;
    });
    // The system accepts the connection for a paused process, so connecting proves nothing.
    const { port } = new URL(redis.url);
    await once(connect(Number(port), '127.0.0.1').unref(), 'connect');
    expect(isAnswered).toBe(false);
    redis.resume();
    expect(await answer).toBe('+PONG');
  });
});

it('does not outlive the process that started it, even when that is killed', async () => {
  const module = pathToFileURL(join(import.meta.dirname, 'redis.ts')).href;
  const program = `console.log((await (await import('${module}')).startRedis()).url); setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  expect(await redisCommand(url, 'PING')).toBe('+PONG');
  child.kill('SIGKILL');
  await waitFor(
    () =>
      redisCommand(url, 'PING').then(
        () => false,
        () => true,
      ),
    { what: 'the end of Redis' },
  );
});

describe('redisUrl', () => {
  it('is the one of the test run, or says how to get one', () => {
    const before = process.env['MORGAN_TEST_REDIS_URL'];
    try {
      process.env['MORGAN_TEST_REDIS_URL'] = 'redis://somewhere:1';
      expect(redisUrl()).toBe('redis://somewhere:1');
      delete process.env['MORGAN_TEST_REDIS_URL'];
      expect(redisUrl).toThrow(/npm test/);
    } finally {
      if (before !== undefined) process.env['MORGAN_TEST_REDIS_URL'] = before;
    }
  });
});
