import { describe, expect, it } from '@jest/globals';
import { LocalCallers } from './local-callers.ts';

const admits = (...headers: string[]) => new LocalCallers().identify(headers) !== undefined;

describe('callers of this machine', () => {
  it.each(['127.0.0.1:9', 'localhost', 'LOCALHOST:80', '[::1]:9', '127.8.8.8'])(
    'are admitted at %s',
    (host) => {
      expect(admits('Host', host)).toBe(true);
    },
  );

  it.each(['example.com', '127.0.0.1.example.com:9', '10.0.0.1', 'localhost.evil', '[::2]', 'a b', ''])(
    'are refused with the host %j, as another site would name itself',
    (host) => {
      expect(admits('host', host)).toBe(false);
    },
  );

  it('are no pages of a browser', () => {
    expect(admits('host', 'localhost', 'Origin', 'http://localhost')).toBe(false);
    expect(admits('host', 'localhost', 'origin', 'null')).toBe(false);
    for (const site of ['cross-site', 'same-site'])
      expect(admits('host', 'localhost', 'Sec-Fetch-Site', site)).toBe(false);
    for (const site of ['none', 'same-origin'])
      expect(admits('host', 'localhost', 'Sec-Fetch-Site', site)).toBe(true);
  });

  it.each(['X-Forwarded-For', 'Forwarded', 'Via', 'X-Real-IP', 'x-forwarded-host'])(
    'are not those of whom %s speaks',
    (name) => {
      expect(admits('host', 'localhost', name, '127.0.0.1')).toBe(false);
    },
  );
});
