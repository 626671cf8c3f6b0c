import { describe, expect, it } from '@jest/globals';
import { embeddingKeys } from './embedding-key.ts';

const key = (fingerprint: string, input: string | number[], more = {}) =>
  embeddingKeys({ fingerprint, prompt: '', truncate: true, ...more })(input);

describe('a key', () => {
  it('differs by everything that a vector depends on, and by nothing else', () => {
    const keys = [
      key('model a', 'text'),
      key('model b', 'text'),
      key('model a', 'text '),
      key('model a', '1,2'),
      key('model a', [1, 2]),
      key('model a', [12]),
      key('model a', 'ids:1,2'),
      key('model at', 'ext'),
      key('', 'model atext'),
      key('model a', 'text\u{fffd}'),
      key('model a', 'text\u{d800}'),
      key('model a', 'text\u{d801}'),
      key('model a', 'text', { prompt: 'query: ' }),
      key('model a', 'query: text'),
      key('model a', 'text', { truncate: false }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(key('model a', 'text')).toBe(keys[0]);
  });

  it('is the same for one input and for many, and as it was when entries were stored', () => {
    const keyOf = embeddingKeys({ fingerprint: 'model', prompt: 'query: ', truncate: false });
    const [first, second, again] = ['a', [1, 2], 'a'].map(keyOf);
    expect(again).toBe(first);
    expect([first, second]).toEqual([
      '4:f2mRHaZ6hQOBC-KPdKz1XiAOAkXEnlxrsCsaF4UBfzs',
      '4:UbRKYundW65t0Wm2XJTws15wE7sRN-wYBE580APtNgY',
    ]);
  });

  it('shows nothing of the text', () => {
    expect(key('model', 'secret')).toMatch(/^4:[\w-]{43}$/);
  });
});
