import { describe, expect, it } from '@jest/globals';
import { listSettings } from '@morgan/foundation';
import { httpTransportConfig } from './http-transport.config.ts';
import { HttpTransport } from './http-transport.ts';

describe('the configuration of a transport', () => {
  it('needs none of its keys', () => {
    expect(httpTransportConfig.parse(undefined)).toEqual({
      maxConnections: 100,
      maxKeepalive: 20,
      keepAliveTimeoutMs: 5_000,
      connectTimeoutMs: 5_000,
      readTimeoutMs: 30_000,
      writeTimeoutMs: 10_000,
      poolTimeoutMs: 5_000,
      http2: true,
      maxConnectionAgeMs: 60_000,
      tls: { rejectUnauthorized: true },
    });
  });

  it('takes null for no limit where there may be none', () => {
    const none = { writeTimeoutMs: null, poolTimeoutMs: null, maxConnectionAgeMs: null };
    expect(httpTransportConfig.parse(none)).toMatchObject(none);
    expect(() => new HttpTransport({ readTimeoutMs: null as unknown as number })).toThrow('readTimeoutMs');
  });

  it.each([{ maxConnections: 0 }, { connectTimeoutMs: 2 ** 31 }, { maxConections: 4 }, { tls: { ca: [] } }])(
    'refuses %j',
    (settings) => expect(() => new HttpTransport(settings)).toThrow(),
  );

  it('has a manual of every key, and no key of a certificate in print', () => {
    const entries = listSettings(httpTransportConfig);
    expect(entries).toHaveLength(16);
    expect(entries.filter(({ secret }) => secret).map(({ path }) => path)).toEqual(['tls.key', 'proxy.url']);
  });
});
