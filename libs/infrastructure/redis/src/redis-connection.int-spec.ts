import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { LogFields, Logger } from '@morgan/foundation';
import { freePort, listen, type PrivateRedis, redisCommand, startRedis, waitFor } from '@morgan/testing';
import { Redis } from 'ioredis';
import { RedisConnection } from './redis-connection.ts';
import { RedisScript } from './redis-script.ts';

/** Of a command that waits for it, and of all others: those must not, and may need half of that on a busy machine. */
const TIMEOUT_MS = 2_000;
const LONG_TIMEOUT_MS = 10_000;
const BUSY_MS = 5_000;

class Lines implements Logger {
  readonly messages: string[] = [];
  readonly everything: unknown[] = [];
  debug = this.#keep;
  info = this.#keep;
  warn = this.#keep;
  error = this.#keep;

  get #keep() {
    return (fields: LogFields, message: string) => {
      this.messages.push(message);
      this.everything.push(fields);
    };
  }
}

const open: RedisConnection[] = [];
afterEach(() => Promise.all(open.splice(0).map((connection) => connection.stop())));

function connect(url: string, commandTimeoutMs = LONG_TIMEOUT_MS) {
  const lines = new Lines();
  const connection = new RedisConnection({ url, commandTimeoutMs, logger: lines });
  open.push(connection);
  return { connection, lines };
}

/** How long a read takes to end, one way or the other. */
async function settle(connection: RedisConnection) {
  const startedAt = performance.now();
  const outcome = await connection.getBuffers(['k']).then(
    () => 'answered',
    () => 'failed',
  );
  return { outcome, ms: performance.now() - startedAt };
}

async function configure(url: string, name: string, value: string) {
  const client = new Redis(url);
  await client.config('SET', name, value);
  client.disconnect();
}

/** A server that answers everything with the same error. */
const refusing = (error: string) => answering(`-${error}\r\n`);

function answering(answer: string) {
  return listen(createServer((socket) => socket.on('data', () => socket.write(answer))));
}

/** A server that takes every connection and refuses PING until it is told otherwise. */
async function refusingPing(error: string) {
  let pong = `-${error}`;
  const server = createServer((socket) => {
    socket.on('data', (data) => {
      for (const [, name] of data.toString('latin1').matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g))
        socket.write(name?.toLowerCase() === 'ping' ? `${pong}\r\n` : '+OK\r\n');
    });
  });
  return Object.assign(await listen(server), { end: () => (pong = '+PONG') });
}

const back = (connection: RedisConnection) => waitFor(() => connection.read().up, { what: 'redis' });

describe('a connection to Redis', () => {
  // First of all: timers that other tests left behind would hide one of its own.
  it('leaves no timer behind that would keep a stopped process alive', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    await using redis = await startRedis();
    const before = timers();
    const { connection } = connect(redis.url);
    connection.start();
    await back(connection);
    await redis.kill();
    await waitFor(() => !connection.read().up, { what: 'the loss to be noticed' });
    await connection.stop();
    await waitFor(() => timers() <= before, { what: 'the last timer' });
  });

  it('is started once: to start it again changes nothing, and nothing is read of no keys', async () => {
    await using redis = await startRedis();
    const { connection, lines } = connect(redis.url);
    connection.start();
    await waitFor(() => connection.read().up, { what: 'redis' });
    connection.start();
    expect(await connection.getBuffers([])).toEqual([]);
    expect(await connection.getBuffers(['none'])).toEqual([null]);
    expect(connection.read().up).toBe(true);
    expect(lines.messages).toEqual(['redis is up']);
  });

  it('keeps bytes as they are, for as long as it is told', async () => {
    await using redis: PrivateRedis = await startRedis();
    const { connection } = connect(redis.url);
    connection.start();
    await back(connection);
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    await connection.setBuffers(
      [
        ['a', bytes],
        ['b', Buffer.alloc(0)],
      ],
      60,
    );
    expect(await connection.getBuffers(['a', 'none', 'b'])).toEqual([bytes, null, Buffer.alloc(0)]);
    expect(connection.read()).toMatchObject({ up: true });
  });

  it('deletes all keys that match, however many there are, and no others', async () => {
    await using redis = await startRedis();
    const { connection } = connect(redis.url);
    connection.start();
    await back(connection);
    const entries = Array.from({ length: 3_000 }, (_, key) => [`a:${key}`, Buffer.from('x')] as const);
    await connection.setBuffers([...entries, ['b:1', Buffer.from('x')]], 60);
    expect(await connection.deleteMatching('a:*')).toBe(3_000);
    expect(await redisCommand(redis.url, 'DBSIZE')).toBe(':1');
  });

  it('runs scripts, also when Redis has forgotten them', async () => {
    await using redis = await startRedis();
    const { connection } = connect(redis.url);
    connection.start();
    await back(connection);
    const script = new RedisScript("return { KEYS[1], ARGV[1] + redis.call('INCR', KEYS[1]) }");
    expect(await connection.run(script, ['n'], [10])).toEqual(['n', 11]);
    expect(await connection.run(script, ['n'], ['20'])).toEqual(['n', 22]);
    // Its text is sent once.
    expect(await redisCommand(redis.url, 'INFO commandstats')).toMatch(/cmdstat_eval:calls=1,/);
    await redis.kill();
    await waitFor(() => !connection.read().up, { what: 'the loss to be noticed' });
    await redis.restart();
    await back(connection);
    expect(await connection.run(script, ['n'], [10])).toEqual(['n', 11]);
    const faulty = new RedisScript("return redis.call('GET')");
    await expect(connection.run(faulty, [], [])).rejects.toThrow('Wrong number of args');
  });

  it('starts without Redis, fails at once meanwhile, and finds it when it comes', async () => {
    const port = await freePort();
    const { connection, lines } = connect(`redis://:a-password@127.0.0.1:${port}`);
    connection.start();
    await waitFor(() => lines.messages.length > 0, { what: 'the loss to be noticed' });
    const { outcome, ms } = await settle(connection);
    expect(outcome).toBe('failed');
    expect(ms).toBeLessThan(BUSY_MS);
    expect(connection.read()).toMatchObject({ up: false, details: { lastFault: 'ECONNREFUSED' } });
    expect(lines.messages).toEqual(['redis is down; working without it']);
    expect(JSON.stringify(lines.everything)).not.toContain('a-password');
  });

  it('survives a crash: calls fail fast, and it is back by itself', async () => {
    await using redis = await startRedis();
    const { connection, lines } = connect(redis.url);
    connection.start();
    await back(connection);
    await redis.kill();
    await waitFor(() => !connection.read().up, { what: 'the loss to be noticed' });
    for (let call = 0; call < 20; call += 1) expect((await settle(connection)).ms).toBeLessThan(BUSY_MS);
    await redis.restart();
    await back(connection);
    expect((await settle(connection)).outcome).toBe('answered');
    expect(lines.messages).toEqual(['redis is up', 'redis is down; working without it', 'redis is up']);
  });

  it('gives up on a Redis that hangs: first by the command timeout, soon at once, and finds it again', async () => {
    await using redis = await startRedis();
    const { connection, lines } = connect(redis.url, TIMEOUT_MS);
    connection.start();
    await back(connection);
    redis.pause();
    for (let call = 0; call < 3; call += 1) {
      const { outcome, ms } = await settle(connection);
      expect(outcome).toBe('failed');
      if (call === 0) expect(ms).toBeGreaterThanOrEqual(TIMEOUT_MS - 5);
    }
    await waitFor(() => !connection.read().up, { what: 'the connection to be given up' });
    expect((await settle(connection)).outcome).toBe('failed');
    redis.resume();
    await back(connection);
    expect((await settle(connection)).outcome).toBe('answered');
    expect(lines.messages).toEqual(['redis is up', 'redis is down; working without it', 'redis is up']);
  });

  it('fails what is under way when Redis crashes, at once', async () => {
    await using redis = await startRedis();
    const { connection } = connect(redis.url, 60_000);
    connection.start();
    await back(connection);
    redis.pause();
    const read = settle(connection);
    const write = connection.setBuffers([['k', Buffer.from('v')]], 0).catch(() => 'failed');
    await redis.kill();
    expect(await read).toMatchObject({ outcome: 'failed' });
    expect(await write).toBe('failed');
  });

  it('says that a write failed', async () => {
    await using redis = await startRedis();
    const { connection } = connect(redis.url);
    connection.start();
    await back(connection);
    await configure(redis.url, 'maxmemory', '1');
    await expect(connection.setBuffers([['k', Buffer.from('v')]], 0)).rejects.toThrow(/^OOM /);
  });

  it('leaves a server that takes no writes, and reads on where it comes back to the same', async () => {
    await using redis = await startRedis();
    const { connection, lines } = connect(redis.url);
    connection.start();
    await back(connection);
    await redisCommand(redis.url, 'REPLICAOF 127.0.0.1 1');
    const write = () => connection.setBuffers([['k', Buffer.from('v')]], 0);
    await expect(write()).rejects.toThrow();
    const changes = ['redis is up', 'redis is down; working without it', 'redis is up'];
    await waitFor(() => lines.messages.length === changes.length, { what: 'the way back' });
    for (let time = 0; time < 5; time += 1) {
      await expect(write()).rejects.toThrow(/^READONLY /);
      expect(await settle(connection)).toMatchObject({ outcome: 'answered' });
    }
    expect(lines.messages).toEqual(changes);
  });

  it('lets a value go after its time, and keeps one without a time', async () => {
    await using redis = await startRedis();
    const { connection } = connect(redis.url);
    connection.start();
    await back(connection);
    await connection.setBuffers([['brief', Buffer.from('1')]], 60);
    await connection.setBuffers([['lasting', Buffer.from('2')]], 0);
    const client = new Redis(redis.url);
    const left = [await client.ttl('brief'), await client.ttl('lasting')];
    client.disconnect();
    expect(left[0]).toBeGreaterThan(55);
    expect(left[0]).toBeLessThanOrEqual(60);
    expect(left[1]).toBe(-1);
  });

  it.each([-1, NaN])('keeps nothing for good that should live for %s seconds', async (ttl) => {
    await using redis = await startRedis();
    const { connection } = connect(redis.url);
    connection.start();
    await back(connection);
    await expect(connection.setBuffers([['k', Buffer.from('v')]], ttl)).rejects.toThrow(/^ERR /);
    expect(await connection.getBuffers(['k'])).toEqual([null]);
  });

  it('never takes another database for the one that is named and is not there', async () => {
    await using redis = await startRedis();
    const { connection, lines } = connect(`${redis.url}/99`);
    connection.start();
    await waitFor(() => lines.messages.length > 0, { what: 'a word about it' });
    expect([lines.messages, lines.everything]).toEqual([
      ['redis is down; working without it'],
      [{ reason: 'ERR' }],
    ]);
    await expect(connection.setBuffers([['k', Buffer.from('v')]], 0)).rejects.toThrow();
    expect(connection.read()).toMatchObject({ up: false, details: { lastFault: 'ERR' } });
    expect(await redisCommand(redis.url, 'GET k')).toBe('$-1');
  });

  it('names a refusal by its code and never repeats the password', async () => {
    await using server = await refusing(
      "ERR unknown 'HELLO', with args beginning with: '3' 'AUTH' 'a-password'",
    );
    const { connection, lines } = connect(`redis://:a-password@127.0.0.1:${server.port}`, TIMEOUT_MS);
    connection.start();
    await waitFor(() => lines.messages.length > 0, { what: 'the refusal to be noticed' });
    expect(lines.everything).toEqual([{ reason: 'ERR' }]);
    expect(connection.read()).toMatchObject({ up: false, details: { lastFault: 'ERR' } });
  });

  it('says so where what answers is not Redis', async () => {
    await using server = await answering('HTTP/1.1 400 Bad Request\r\n\r\n');
    const { connection, lines } = connect(`redis://127.0.0.1:${server.port}`);
    connection.start();
    await waitFor(() => lines.messages.length > 0, { what: 'the answer to be noticed' });
    expect(lines.everything).toEqual([{ reason: 'not the protocol of Redis' }]);
  });

  it.each(['INFO', 'PING', 'HELLO', 'CLIENT'])('needs no %s', async (command) => {
    await using redis = await startRedis();
    await redisCommand(redis.url, `ACL SETUSER reader on nopass ~* +@all -${command}`);
    await using hardened = await startRedis('--rename-command', 'INFO', '');
    for (const url of [redis.url.replace('//', '//reader:any@'), hardened.url]) {
      const { connection, lines } = connect(url);
      connection.start();
      await back(connection);
      expect(await settle(connection)).toMatchObject({ outcome: 'answered' });
      expect(lines.messages).toEqual(['redis is up']);
    }
  });

  it.each(['LOADING Redis is loading the dataset in memory', 'NOAUTH Authentication required.'])(
    'takes a server for down that is there and answers %s',
    async (refusal) => {
      await using server = await refusingPing(refusal);
      const { connection, lines } = connect(`redis://127.0.0.1:${server.port}`);
      connection.start();
      await waitFor(() => lines.messages.length > 0, { what: 'a word about it' });
      expect(lines.messages).toEqual(['redis is down; working without it']);
      expect(lines.everything).toEqual([{ reason: refusal.split(' ', 1)[0] }]);
      expect(connection.read().up).toBe(false);
      server.end();
      await back(connection);
      expect(lines.messages).toEqual(['redis is down; working without it', 'redis is up']);
    },
  );

  it('says once why it does not come back: its password is another one now', async () => {
    await using redis = await startRedis();
    const { connection, lines } = connect(redis.url.replace('//', '//:a-password@'));
    connection.start();
    await back(connection);
    const admin = new Redis(redis.url);
    await admin.config('SET', 'requirepass', 'another');
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal');
    const isTold = () => lines.messages.includes('redis is there, but cannot be used');
    await waitFor(isTold, { what: 'the reason' });
    await waitFor(() => connection.read().details?.['lastFault'] === 'WRONGPASS', { what: 'another try' });
    expect(lines.everything.slice(2)).toEqual([{ reason: 'WRONGPASS' }]);
    expect(JSON.stringify(lines.everything)).not.toContain('a-password');
    await admin.config('SET', 'requirepass', '');
    admin.disconnect();
    await back(connection);
    expect(lines.messages.at(-1)).toBe('redis is up');
  });

  it('stops within the command timeout whatever Redis does, without a line and for good', async () => {
    await using redis = await startRedis();
    const { connection, lines } = connect(redis.url, TIMEOUT_MS);
    connection.start();
    await back(connection);
    redis.pause();
    const startedAt = performance.now();
    await connection.stop();
    expect(performance.now() - startedAt).toBeLessThan(BUSY_MS);
    const isOver = () => connection.read().details?.['state'] === 'end';
    await waitFor(isOver, { what: 'the end of the connection' });
    expect(lines.messages).toEqual(['redis is up']);
  });
});
