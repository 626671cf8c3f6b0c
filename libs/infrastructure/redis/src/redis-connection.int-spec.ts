import { afterEach, describe, expect, it } from '@jest/globals';
import type { LogFields, Logger } from '@morgan/foundation';
import { freePort, type PrivateRedis, startRedis, waitFor } from '@morgan/testing';
import { RedisConnection } from './redis-connection.ts';

const TIMEOUT_MS = 100;

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

function connect(url: string) {
  const lines = new Lines();
  const connection = new RedisConnection({ url, commandTimeoutMs: TIMEOUT_MS }, lines);
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

const back = (connection: RedisConnection) => waitFor(() => connection.read().up, { what: 'redis' });

describe('a connection to Redis', () => {
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

  it('starts without Redis, fails at once meanwhile, and finds it when it comes', async () => {
    const port = await freePort();
    const { connection, lines } = connect(`redis://:a-password@127.0.0.1:${port}`);
    connection.start();
    await waitFor(() => lines.messages.length > 0, { what: 'the loss to be noticed' });
    const { outcome, ms } = await settle(connection);
    expect(outcome).toBe('failed');
    expect(ms).toBeLessThan(TIMEOUT_MS);
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
    for (let call = 0; call < 20; call += 1) expect((await settle(connection)).ms).toBeLessThan(TIMEOUT_MS);
    await redis.restart();
    await back(connection);
    expect((await settle(connection)).outcome).toBe('answered');
    expect(lines.messages).toEqual(['redis is up', 'redis is down; working without it', 'redis is up']);
  });

  it('gives up on a Redis that hangs: first by the command timeout, soon at once, and finds it again', async () => {
    await using redis = await startRedis();
    const { connection, lines } = connect(redis.url);
    connection.start();
    await back(connection);
    redis.pause();
    for (let call = 0; call < 3; call += 1) {
      const { outcome, ms } = await settle(connection);
      expect(outcome).toBe('failed');
      expect(ms).toBeGreaterThanOrEqual(TIMEOUT_MS - 5);
      expect(ms).toBeLessThan(TIMEOUT_MS * 5);
    }
    await waitFor(() => !connection.read().up, { what: 'the connection to be given up' });
    expect((await settle(connection)).ms).toBeLessThan(TIMEOUT_MS / 2);
    redis.resume();
    await back(connection);
    expect((await settle(connection)).outcome).toBe('answered');
    expect(lines.messages).toEqual(['redis is up', 'redis is down; working without it', 'redis is up']);
  });
});
