import { describe, expect, it } from '@jest/globals';
import { checkCut } from './cut-side.ts';

const model = (cutSide?: 'left' | 'right') => ({ getInfo: () => ({ cutSide }) });

describe('the side where texts are to be cut', () => {
  it.each([
    ['not said', undefined, 'left'],
    ['as the model has it', 'left', 'left'],
    ['the usual one', 'right', undefined],
  ] as const)('may be %s', (_, side, own) => {
    expect(() => checkCut(side && [{ side, field: 'truncate' }], model(own))).not.toThrow();
  });

  it.each([
    ['left', 'right', "'truncate' asks for texts to be cut at the start; the model cuts them at the end."],
    ['right', 'left', "'truncate' asks for texts to be cut at the end; the model cuts them at the start."],
    ['left', undefined, "'truncate' asks for texts to be cut at the start; the model cuts them at the end."],
  ] as const)('is refused where it is %s and the model has %s', (side, own, message) => {
    expect(() => checkCut([{ side, field: 'truncate' }], model(own))).toThrow(
      expect.objectContaining({ code: 'invalid_value', param: 'truncate', message }),
    );
  });
});
