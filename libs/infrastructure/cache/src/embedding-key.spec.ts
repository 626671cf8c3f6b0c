import { describe, expect, it } from '@jest/globals';
import { embeddingKey } from './embedding-key.ts';

const key = (fingerprint: string, input: string | number[], more = {}) =>
  embeddingKey({ fingerprint, prompt: '', truncate: true, ...more }, input);

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

  it('shows nothing of the text', () => {
    expect(key('model', 'secret')).toMatch(/^2:[\w-]{43}$/);
  });
});
