import { describe, expect, it } from '@jest/globals';
import { firstByte, lastByte } from './json-bytes.ts';

describe('where a text begins and ends', () => {
  it('is behind a byte order mark and white space', () => {
    expect(firstByte(Buffer.from('\uFEFF \n{}'))).toBe(5);
    expect([lastByte(Buffer.from('{} \n')), lastByte(Buffer.from(' '))]).toEqual([1, -1]);
  });
});
