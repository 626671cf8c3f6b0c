import { describe, expect, it } from '@jest/globals';
import { RateLimiter } from './rate-limiter.ts';

describe('settings of a limiter', () => {
  it('need no more than the limit', () => {
    const { limit } = new RateLimiter({ name: 'a', limit: 5 }).getStatus();
    expect(limit).toEqual({ algorithm: 'token-bucket', limit: 5, windowMs: 1_000, burst: 5 });
  });

  it.each([
    ['limit', { limit: 0 }],
    ['limit', { limit: Number.NaN }],
    ['windowMs', { limit: 5, windowMs: 0 }],
    ['windowMillis', { limit: 5, windowMillis: 100 }],
    ['burst', { limit: 5, algorithm: 'sliding-window' as const, burst: 10 }],
  ])('that are wrong are refused by name: %s', (name, settings) => {
    expect(() => new RateLimiter({ name: 'a', ...settings })).toThrow(name);
  });

  it('are those of a name, by which replicas share them', () => {
    expect(() => new RateLimiter({ name: '', limit: 5 })).toThrow('RateLimiter needs a name');
  });

  it('are refused where they are unknown, as they would be ignored', () => {
    const settings = { limit: 5, maxWait: 5 };
    expect(() => new RateLimiter({ name: 'a', ...settings })).toThrow('maxWait: no such key');
  });
});
