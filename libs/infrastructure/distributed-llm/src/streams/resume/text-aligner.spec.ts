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

  it('says when the text is another one', () => {
    expect(new TextAligner('One two').take('One t')).toBe('');
    expect(new TextAligner('One two').take('One fine')).toBeUndefined();
    expect(new TextAligner('One').take('One two')).toBe(' two');
    expect(new TextAligner('').take('One')).toBe('One');
  });
});
