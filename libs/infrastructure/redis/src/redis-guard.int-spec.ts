import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { silentLogger } from '@morgan/foundation';
import { type PrivateRedis, redisCommand, startRedis, waitFor } from '@morgan/testing';
import { RedisConnection } from './redis-connection.ts';
import { RedisGuard } from './redis-guard.ts';

const TIMEOUT_MS = 200;

let redis: PrivateRedis;
let connection: RedisConnection;
let guard: RedisGuard;
let lines: string[];
let fields: object[];
let asked: number;

const read = () =>
  guard.run(
    () => {
      asked += 1;
      return connection.getBuffers(['key']).then(([value]) => value?.toString() ?? 'none');
    },
    () => 'substitute',
  );

beforeEach(async () => {
  [lines, fields, asked] = [[], [], 0];
  redis = await startRedis();
  connection = new RedisConnection({ url: redis.url, commandTimeoutMs: 10_000 });
  connection.start();
  await waitFor(() => connection.read().up, { what: 'redis' });
  await connection.setBuffers([['key', Buffer.from('value')]], 60);
  const say = (said: object, line: string) => {
    fields.push(said);
    lines.push(line);
  };
  guard = new RedisGuard({
    name: 'test',
    timeoutMs: TIMEOUT_MS,
    resetTimeoutMs: 50,
    logger: { ...silentLogger, warn: say, info: say },
  });
});

afterEach(async () => {
  guard.stop();
  await connection.stop();
  await redis.kill();
});

it('a Redis that hangs costs some uses the time limit and the others nothing, until it answers again', async () => {
  expect(await read()).toBe('value');
  redis.pause();
  try {
    expect(await Promise.all(Array.from({ length: 5 }, read))).toEqual(Array(5).fill('substitute'));
    expect(guard.getStatus()).toMatchObject({ open: true, successes: 1, failures: 5 });
    const before = asked;
    expect(await read()).toBe('substitute');
    expect(asked).toBe(before);
    expect(guard.getStatus().rejected).toBe(1);
  } finally {
    redis.resume();
  }
  await waitFor(async () => (await read()) === 'value', { what: 'the return' });
  expect(guard.getStatus().open).toBe(false);
  expect(fields).toEqual([{ guard: 'test' }, { guard: 'test' }]);
  expect(lines.at(0)).toBe('redis is slow or fails; working without it');
  expect(lines.at(-1)).toBe('redis is used again');
});

it('a process that was busy for longer than the limit takes the answer that has come meanwhile', async () => {
  for (let use = 0; use < 5; use += 1) {
    const value = read();
    const until = performance.now() + TIMEOUT_MS * 2;
    while (performance.now() < until);
    expect(await value).toBe('value');
  }
  expect(guard.getStatus()).toMatchObject({ open: false, successes: 5, failures: 0 });
});

it('gives the substitute once it is stopped; a use that had begun ends as it would', async () => {
  const begun = read();
  guard.stop();
  expect(await Promise.all([begun, read()])).toEqual(['value', 'substitute']);
  expect(asked).toBe(1);
});

it('a single fault opens nothing, and the substitute stands for it', async () => {
  const fault = new Error('WRONGTYPE');
  const seen: unknown[] = [];
  const substitute = (error: unknown) => seen.push(error);
  expect(await guard.run(() => Promise.reject<number>(fault), substitute)).toBe(1);
  expect(seen).toEqual([fault]);
  expect(await read()).toBe('value');
  expect(guard.getStatus()).toMatchObject({ open: false, failures: 1 });
});

it('a refusal is an answer: it opens nothing, and is told of once in ten minutes', async () => {
  await redisCommand(redis.url, 'CONFIG SET maxmemory 1');
  const write = () =>
    guard.run(
      () => connection.setBuffers([['other', Buffer.from('value')]], 60).then(() => 'stored'),
      () => 'substitute',
    );
  for (let use = 0; use < 10; use += 1) expect(await write()).toBe('substitute');
  expect(await read()).toBe('value');
  expect(guard.getStatus()).toMatchObject({ open: false, failures: 0 });
  expect(lines).toEqual(['redis refuses a use; working without it']);
  expect(fields).toEqual([{ guard: 'test', reason: 'OOM' }]);
  const later = performance.now() + 600_000;
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => later);
  await write();
  await write();
  clock.mockRestore();
  expect(lines).toHaveLength(2);
});

it.each([
  ['fails', new Error('gone'), 1],
  ['refuses', Object.assign(new Error('OOM full'), { name: 'ReplyError' }), 0],
])(
  'a fallback that throws is called once where Redis %s, and is no fault of it',
  async (_, fault, failures) => {
    const fallback = jest.fn((): number => {
      throw new Error('from the fallback');
    });
    const answer = guard.run(() => Promise.reject<number>(fault), fallback);
    await expect(answer).rejects.toThrow('from the fallback');
    expect(fallback).toHaveBeenCalledTimes(1);
    expect(guard.getStatus()).toMatchObject({ open: false, failures });
  },
);
