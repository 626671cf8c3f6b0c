import { describe, expect, it } from '@jest/globals';
import { checkCut, cutsOf } from './asked-cut.ts';

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

describe('tokens that a text may have', () => {
  const bounded = { getInfo: () => ({ maxTokens: 512 }) };
  it.each([
    [{}, []],
    [{ truncate_prompt_tokens: -1, max_tokens_per_doc: 0 }, []],
    [{ truncate_prompt_tokens: null }, []],
    [{ truncate_prompt_tokens: 512, max_tokens_per_doc: 4096 }, [512, 4_096]],
  ])('may be %j where the model takes 512', (body, tokens) => {
    const asked = cutsOf(body);
    expect(asked.map((cut) => 'tokens' in cut && cut.tokens)).toEqual(tokens);
    expect(() => checkCut(asked, bounded)).not.toThrow();
  });

  it.each([
    [
      { truncate_prompt_tokens: 511 },
      'truncate_prompt_tokens',
      bounded,
      /is 511; .* 512 tokens of the model/,
    ],
    [{ truncate_prompt_tokens: 0 }, 'truncate_prompt_tokens', bounded, /is 0/],
    [{ max_tokens_per_doc: 1 }, 'max_tokens_per_doc', bounded, /is 1;/],
    [{ truncate_prompt_tokens: 512 }, 'truncate_prompt_tokens', model(), /the limit of the model only/],
  ])('are refused as %j', (body, param, of, message) => {
    expect(() => checkCut(cutsOf(body), of)).toThrow(
      expect.objectContaining({ code: 'invalid_value', param, message: expect.stringMatching(message) }),
    );
  });
});
