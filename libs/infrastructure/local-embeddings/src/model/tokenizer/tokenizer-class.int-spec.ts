import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { changedFile, ModelCopies } from '../../../fixture/model-copies.ts';
import { openFolder, readPlan } from '../plan/plan.reader.ts';
import { TextTokenizer } from './text-tokenizer.ts';

const SETTINGS = 'tokenizer_config.json';
const DEFINITION = 'tokenizer.json';
/** A template without a closing token. */
const OPEN = {
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: '[CLS]', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: { '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] } },
};

let copies: ModelCopies;
beforeAll(async () => {
  copies = await ModelCopies.make();
});
afterAll(() => copies.remove());

/** The tokenizer of a reference model with other settings. */
async function tokenizerOf(name: string, settings: object, definition: object = {}): Promise<TextTokenizer> {
  const files = {
    [SETTINGS]: await changedFile(name, SETTINGS, settings),
    [DEFINITION]: await changedFile(name, DEFINITION, definition),
  };
  return openTokenizer(await copies.copy(name, files));
}

async function openTokenizer(path: string): Promise<TextTokenizer> {
  const folder = openFolder(path);
  const plan = await readPlan(folder, { backend: 'auto', device: 'cpu', dtype: 'auto', threads: 1 });
  return TextTokenizer.open(folder, plan);
}

describe('the class of a tokenizer', () => {
  // Ids are those of transformers 5.18.
  it.each([
    ['xlm-roberta', { tokenizer_class: 'XLMRobertaTokenizer' }, [0, 48, 8, 22, 5, 84, 64, 2]],
    [
      'xlm-roberta',
      { tokenizer_class: 'XLMRobertaTokenizer', add_prefix_space: null },
      [0, 145, 8, 22, 84, 64, 2],
    ],
    ['albert', { add_prefix_space: null, do_lower_case: null }, [2, 1, 6, 22, 1, 62, 3]],
  ])('of %s takes %j at its word, a null for no', async (name, settings, ids) => {
    const tokenizer = await tokenizerOf(name, settings);
    expect(await tokenizer.tokenize(['New York'])).toMatchObject([{ ids }]);
  });

  // As the multilingual MiniLM and its copies have it. Ids are those of transformers 4.57.
  it.each(['BertTokenizer', 'BertTokenizerFast'])(
    'is not obeyed where %s stands beside the vocabulary of another tokenizer',
    async (tokenizer_class) => {
      const tokenizer = await tokenizerOf('xlm-roberta', { tokenizer_class });
      expect(await tokenizer.tokenize(['New York'])).toMatchObject([{ ids: [0, 48, 8, 22, 5, 84, 64, 2] }]);
      // What transformers 4 would have changed in the file as well.
      const normalizer = { type: 'BertNormalizer', lowercase: false };
      await expect(tokenizerOf('xlm-roberta', { tokenizer_class }, { normalizer })).rejects.toThrow(
        'tokenizer.json is Unigram',
      );
    },
  );

  /** Ids of a text with the tokenizer of a Qwen, whose files name no class, as one of another network, and with other settings. */
  async function idsOfNetwork(model_type: string, settings: object = {}): Promise<readonly number[]> {
    const name = 'qwen3-without-class';
    const files = {
      [SETTINGS]: await changedFile(name, SETTINGS, settings),
      'config.json': await changedFile(name, 'config.json', { model_type }),
    };
    const [row] = await (await openTokenizer(await copies.copy(name, files))).tokenize(['in 2026']);
    return row?.ids ?? [];
  }

  it('is that of the network where no file names one, also of those that read images', async () => {
    const own = await idsOfNetwork('qwen3');
    for (const network of ['qwen2_vl', 'qwen2_5_vl', 'qwen3_vl'])
      expect(await idsOfNetwork(network)).toEqual(own);
    expect(await idsOfNetwork('unheard_of')).not.toEqual(own);
  });

  // As transformers 5.18 has it.
  it.each([
    ['qwen2', true],
    ['qwen3_5', true],
    ['qwen3', false],
    ['qwen3_5_text', false],
  ])('of %s is taken whatever the files name: %s', async (network, insists) => {
    const named = await idsOfNetwork(network, { tokenizer_class: 'PreTrainedTokenizerFast' });
    const ofFile = await idsOfNetwork('unheard_of');
    expect(named.join() === ofFile.join()).toBe(!insists);
  });

  it('marks the text behind a special token of DeBERTa, or where its settings have a null does not', async () => {
    const [text] = ['a [SEP]b'];
    const always = await tokenizerOf('deberta-v2', {});
    expect(await always.tokenize([text])).toMatchObject([{ ids: [2, 34, 3, 5, 71, 3] }]);
    const first = await tokenizerOf('deberta-v2', { add_prefix_space: null });
    expect(await first.tokenize([text])).toMatchObject([{ ids: [2, 34, 3, 71, 3] }]);
  });

  it.each([
    ['albert', {}, OPEN, [2, 5, 124, 22, 5, 12, 62]],
    ['albert', {}, null, [2, 5, 124, 22, 5, 12, 62, 3]],
    ['bert-cased', { tokenizer_class: 'BertTokenizer' }, OPEN, [2, 37, 91, 114, 48, 145, 119, 3]],
  ])('of %s with %j makes a template, or takes that of the file: %j', async (...row) => {
    const [name, settings, post_processor, ids] = row;
    const tokenizer = await tokenizerOf(name, settings, { post_processor });
    expect(await tokenizer.tokenize(['New York'])).toMatchObject([{ ids }]);
  });

  it.each([
    ['bert-class-herbert', {}, false],
    ['bert-class-herbert', { model_input_names: ['input_ids', 'token_type_ids'] }, true],
    ['bert-cased', { tokenizer_class: 'BertTokenizer' }, true],
  ])('of %s with %j says whether a model hears which text of a pair a token is of', async (...row) => {
    const [name, settings, told] = row;
    const pairs = await (await tokenizerOf(name, settings)).pairs();
    expect('secondFrom' in pairs.join([5], [6], 32)).toBe(told);
  });
});

describe('a token of added_tokens.json', () => {
  const TEXT = '[MORE] [more] [new]';
  const SPECIAL = [2, 261, 1, 180, 96, 79, 1, 260, 3];
  const PLAIN = [2, 261, 261, 260, 3];

  // Ids are those of transformers 5.18. A special token is looked for as it is written, any other in the lower-cased text.
  it.each<[object, object | null, number[]]>([
    [{ mask_token: '[MORE]' }, null, SPECIAL],
    [{ extra_special_tokens: ['[MORE]'] }, null, SPECIAL],
    [{ extra_special_tokens: [], additional_special_tokens: ['[MORE]'] }, null, SPECIAL],
    [{}, { mask_token: { content: '[MORE]', lstrip: false } }, SPECIAL],
    [{}, { extra_special_tokens: ['[MORE]'] }, SPECIAL],
    [{ mask_token: '[MORE]' }, { mask_token: '[MASK]' }, PLAIN],
    [{}, { additional_special_tokens: ['[MORE]'] }, PLAIN],
    [{ more_token: '[MORE]' }, null, PLAIN],
    [{ extra_special_tokens: { more_token: '[MORE]' } }, null, PLAIN],
    [{ extra_special_tokens: { a: '[PAD]' }, additional_special_tokens: ['[MORE]'] }, null, PLAIN],
    [{}, null, PLAIN],
  ])('is special or not by %j and special_tokens_map.json with %j', async (settings, names, ids) => {
    const name = 'bert-older-added-tokens';
    const files = {
      [SETTINGS]: await changedFile(name, SETTINGS, settings),
      'special_tokens_map.json': names,
    };
    const tokenizer = await openTokenizer(await copies.copy(name, files));
    expect(await tokenizer.tokenize([TEXT])).toMatchObject([{ ids }]);
  });
});
