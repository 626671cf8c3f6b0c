import { describe, expect, it } from '@jest/globals';
import { templateOf } from './tokenizer-template.ts';

describe('how a class puts two texts together', () => {
  const pairOf = (name: string) => {
    const lookup = { named: () => undefined, idOf: (token: string) => token.length };
    const template = templateOf(name, lookup) as { pair: Record<string, { id: string; type_id: number }>[] };
    return template.pair.map((piece) => Object.values(piece)[0]).map((piece) => [piece?.id, piece?.type_id]);
  };

  it('is that of RoBERTa for DeBERTa, all of one type', () => {
    expect(pairOf('DebertaTokenizerFast')).toEqual([
      ['[CLS]', 0],
      ['A', 0],
      ['[SEP]', 0],
      ['[SEP]', 0],
      ['B', 0],
      ['[SEP]', 0],
    ]);
  });

  it.each(['AlbertTokenizer', 'DPRQuestionEncoderTokenizer', 'DebertaV2TokenizerFast'])(
    'is that of BERT for %s, the second text of another type',
    (name) => {
      expect(pairOf(name)).toEqual([
        ['[CLS]', 0],
        ['A', 0],
        ['[SEP]', 0],
        ['B', 1],
        ['[SEP]', 1],
      ]);
    },
  );
});
