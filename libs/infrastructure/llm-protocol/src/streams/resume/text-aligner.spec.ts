import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TextAligner } from './text-aligner.ts';

describe('TextAligner', () => {
  it('hands out exactly what was not sent, however both texts are cut', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (sent, pieces) => {
        const aligner = new TextAligner(sent);
        const [head, ...tail] = [sent.slice(0, 1), sent.slice(1)];
        const fresh = [head, ...tail, ...pieces].map((piece) => aligner.take(piece));
        expect(fresh.join('')).toBe(pieces.join(''));
        expect(aligner.isAligned).toBe(true);
      }),
    );
  });

  it.each([
    ['more in front', 'One two', ['\n\n', 'One', ' two three']],
    ['less in front', '\n\nOne two', ['\n', 'One two three']],
    ['none in front', '\n\nOne two', ['One two three']],
    ['other in front', '\nOne two', [' ', 'One two three']],
  ])('takes white space for no difference: %s', (_, sent, pieces) => {
    const aligner = new TextAligner(sent);
    const fresh = pieces.map((_piece, at) => (at === pieces.length - 1 ? ' three' : ''));
    expect(pieces.map((piece) => aligner.take(piece))).toEqual(fresh);
    expect(aligner.isAligned).toBe(true);
  });

  it('takes an answer for whole that leaves out what was white space at the end', () => {
    const aligner = new TextAligner('One two \n');
    expect([aligner.take('One'), aligner.isAligned]).toEqual(['', false]);
    expect([aligner.take(' two'), aligner.isAligned]).toEqual(['', true]);
    expect(aligner.take(' \nthree')).toBe('three');
  });

  it('takes no other white space for the same within the text', () => {
    expect(new TextAligner('One two').take('One  two')).toBeUndefined();
    const aligner = new TextAligner('One two');
    expect([aligner.take('One'), aligner.take('two')]).toEqual(['', undefined]);
  });

  it('says when the text is another one', () => {
    expect(new TextAligner('One two').take('One t')).toBe('');
    expect(new TextAligner('One two').take('One fine')).toBeUndefined();
    expect(new TextAligner('One').take('One two')).toBe(' two');
    expect(new TextAligner('').take('One')).toBe('One');
  });
});
