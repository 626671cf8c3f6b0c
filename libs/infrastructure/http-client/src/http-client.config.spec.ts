import { describe, expect, it } from '@jest/globals';
import { listSettings } from '@morgan/foundation';
import { httpClientConfig } from './http-client.config.ts';
import { HttpClient } from './http-client.ts';

const required = { serviceName: 'docs', baseUrl: 'https://api.example.com' };

describe('the configuration', () => {
  it('has a pool, four time limits, retries and a breaker where nothing else is said', () => {
    expect(httpClientConfig.parse(required)).toEqual({
      ...required,
      headers: {},
      idempotent: true,
      maxResponseBytes: 64 * 1024 * 1024,
      pool: {
        maxConnections: 100,
        maxKeepalive: 20,
        keepAliveTimeoutMs: 5_000,
        maxConnectionAgeMs: 60_000,
        http2: true,
      },
      timeout: { connectMs: 5_000, readMs: 30_000, writeMs: 10_000, poolMs: 5_000, totalMs: 120_000 },
      tls: { rejectUnauthorized: true },
      retry: {
        maxRetries: 3,
        baseDelayMs: 1_000,
        maxDelayMs: 60_000,
        base: 2,
        jitter: 'full',
        budget: { ratio: 0.2, minPerSecond: 10, windowMs: 10_000 },
      },
      circuitBreaker: expect.objectContaining({
        failureThreshold: 5,
        successThreshold: 2,
        resetTimeoutMs: 60_000,
      }) as unknown,
    });
  });

  it('is refused where it is unknown, as it would be ignored', () => {
    const options = { ...required, maxRetries: 0 };
    expect(() => new HttpClient(options)).toThrow('maxRetries: no such key');
  });

  it('documents every key', () => {
    const entries = listSettings(httpClientConfig);
    expect(entries.length).toBeGreaterThan(50);
    expect(entries.filter(({ doc }) => !doc.endsWith('.'))).toEqual([]);
  });

  it.each([
    { serviceName: 'a b' },
    { baseUrl: 'localhost' },
    // A request would go without them.
    { baseUrl: 'https://user:password@api.example.com' },
    { baseUrl: 'https://api.example.com/v1?api-version=1' },
    { rateLimit: { limit: 3 } },
    { retry: { timeoutMs: 3 } },
    { pool: { connections: 3 } },
  ])('refuses %j', (wrong) => {
    expect(httpClientConfig.safeParse({ ...required, ...wrong }).success).toBe(false);
  });
});
