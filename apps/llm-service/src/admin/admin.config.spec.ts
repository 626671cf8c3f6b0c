import { describe, expect, it } from '@jest/globals';
import { adminConfig } from './admin.config.ts';

describe('the admin API', () => {
  it('is off by default, and on loopback where only a port is given', () => {
    expect(adminConfig.parse({})).toEqual({ host: '127.0.0.1' });
    expect(adminConfig.parse({ port: 1 })).toEqual({ port: 1, host: '127.0.0.1' });
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', 'gateway.example', '::ffff:10.0.0.1'])(
    'needs a key on %s',
    (host) => {
      const fault = adminConfig.safeParse({ port: 1, host }).error?.issues[0];
      expect(fault).toMatchObject({ path: ['apiKey'], message: expect.stringContaining('beyond loopback') });
      expect(adminConfig.safeParse({ port: 1, host, apiKey: 'a-long-key' }).success).toBe(true);
      expect(adminConfig.safeParse({ host }).success).toBe(true);
    },
  );

  it.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])('needs none on %s', (host) => {
    expect(adminConfig.safeParse({ port: 1, host }).success).toBe(true);
  });
});
