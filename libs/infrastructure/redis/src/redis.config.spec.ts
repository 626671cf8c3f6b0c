import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@morgan/foundation';
import { z } from 'zod';
import { RedisConnection } from './redis-connection.ts';
import { RedisGuard } from './redis-guard.ts';
import { redisConfig } from './redis.config.ts';

const load = (env: Record<string, string>) =>
  loadConfig(z.strictObject({ redis: redisConfig }), { env }).redis;

describe('redisConfig', () => {
  it('is without a Redis by default', () => {
    expect(load({})).toEqual({ commandTimeoutMs: 100, namespace: 'morgan' });
  });

  it.each(['redis://redis:6379', 'redis://redis/', 'rediss://user:password@redis.example:6380/2'])(
    'takes %s',
    (url) => {
      const env = { REDIS_URL: url, REDIS_COMMAND_TIMEOUT_MS: '20', REDIS_NAMESPACE: '{two}' };
      expect(load(env)).toEqual({ url, commandTimeoutMs: 20, namespace: '{two}' });
    },
  );

  it.each([
    ['another protocol', { REDIS_URL: 'http://:a-password@redis' }],
    ['what is no URL', { REDIS_URL: 'a-password' }],
    ['a URL without its slashes', { REDIS_URL: 'redis:a-password' }],
    ['a URL without a host', { REDIS_URL: 'redis:///a-password' }],
    ['a host without a protocol', { REDIS_URL: 'a-password:6379' }],
    ['a database that is no number', { REDIS_URL: 'redis://redis:6379/a-password' }],
    ['a password that is cut', { REDIS_URL: 'redis://default:1234#a-password@redis:6379' }],
    ['a percent sign that begins no escape', { REDIS_URL: 'redis://:a-password%@redis:6379' }],
    ['options', { REDIS_URL: 'redis://redis:6379/?password=a-password' }],
    ['a namespace with what has a meaning in keys', { REDIS_NAMESPACE: 'a*' }],
    ['a timeout of nothing', { REDIS_COMMAND_TIMEOUT_MS: '0' }],
    ['a timeout that no timer can wait for', { REDIS_COMMAND_TIMEOUT_MS: '99999999999' }],
  ])('refuses %s, and shows no secret', (_, env) => {
    const [name] = Object.keys(env);
    expect(() => load(env as Record<string, string>)).toThrow(name);
    expect(() => load(env as Record<string, string>)).not.toThrow('a-password');
  });
});

describe('a class that is given a wrong setting names it', () => {
  it.each([
    ['url', { url: 'http://:a-password@redis' }],
    ['url', {} as { url: string }],
    ['commandTimeoutMs', { url: 'redis://redis', commandTimeoutMs: Number.NaN }],
    ['timeoutMs', { url: 'redis://redis', timeoutMs: 5 }],
  ])('RedisConnection: %s, and shows no secret', (name, options) => {
    expect(() => new RedisConnection(options)).toThrow(name);
    expect(() => new RedisConnection(options)).not.toThrow('a-password');
  });

  it.each([
    ['timeoutMs', { timeoutMs: Number.NaN }],
    ['errorThresholdPercentage', { errorThresholdPercentage: 500 }],
    ['timeout', { timeout: 5 }],
    ['needs a name', { name: '' }],
  ])('RedisGuard: %s', (name, options) => {
    expect(() => new RedisGuard({ name: 'cache', ...options })).toThrow(name);
  });
});
