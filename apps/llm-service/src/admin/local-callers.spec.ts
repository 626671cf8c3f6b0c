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
  });
});
