import { readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  changedFile,
  type ChangedFiles,
  ModelCopies,
  REFERENCE_MODELS,
  referenceVectors,
} from '../../fixture/model-copies.ts';
import { ModelProbe } from '../../fixture/model-probe.ts';
import { FLOAT, initializer, INT64, modelFile, port } from '../../fixture/onnx-graph.ts';
import { block, number, text } from '../../fixture/protobuf.ts';
import { writeTinyBert } from '../../fixture/tiny-bert.ts';

const TEXTS = ['hello world', 'a', 'NEW YORK is a city'];
const MODULES = 'sentence_transformers.sentence_transformer.modules';
const TOKENIZER = 'tokenizer_config.json';

const probe = new ModelProbe();
let copies: ModelCopies;
beforeAll(async () => {
  copies = await ModelCopies.make();
});
afterAll(async () => {
  await probe.stop();
  await copies.remove();
});

async function expectReference(folder: string, name: string): Promise<void> {
  const { batch } = await probe.open(folder, {}, TEXTS);
  (await referenceVectors(name, TEXTS)).forEach((vector, row) =>
    vector.forEach((value, index) => expect(batch[row]?.[index]).toBeCloseTo(value, 5)),
  );
}

describe('what is understood in every spelling', () => {
  it.each<[string, ChangedFiles]>([
    [
      'modules by their packages',
      {
        'modules.json': [
          { path: '', type: 'sentence_transformers.base.modules.Transformer' },
          { path: '1_Pooling', type: `${MODULES}.Pooling` },
          { path: '2_Normalize', type: 'sentence_transformers.base.modules.Normalize' },
        ],
      },
    ],
    [
      'flags of pooling without a value',
      { '1_Pooling/config.json': { word_embedding_dimension: 8, pooling_mode_lasttoken: null } },
    ],
    [
      'how Python is to load it',
      {
        'config_sentence_transformers.json': { requirements: { transformers: '>=5.15' } },
        'sentence_bert_config.json': {
          model_args: { use_safetensors: true, low_cpu_mem_usage: true },
          tokenizer_args: { clean_up_tokenization_spaces: false, truncation_side: 'right' },
        },
      },
    ],
    [
      'a prompt that every model has',
      { 'config_sentence_transformers.json': { default_prompt_name: 'query' } },
    ],
  ])('%s', async (_, files) => {
    await expectReference(await copies.copy('bert-mean', files), 'bert-mean');
  });
});

describe('prompts', () => {
  it('for queries and documents are there and empty where a folder has none', async () => {
    const files = {
      'config_sentence_transformers.json': { prompts: { document: 'passage: ', haiku: null } },
    };
    const { info } = await probe.open(await copies.copy('bert-mean', files));
    expect(info.prompts).toEqual({ document: 'passage: ', haiku: '', query: '' });
  });

  it('are obeyed in a folder without modules.json too', async () => {
    const settings = await changedFile('bert-prompts', 'config_sentence_transformers.json', {});
    const folder = await copies.bare('bert-prompts', { 'config_sentence_transformers.json': settings });
    await expectReference(folder, 'bert-prompts');
  });
});

describe('the limit of tokens', () => {
  const unlimited = async (more: object = {}) => ({
    'config.json': await changedFile('bert-mean', 'config.json', { max_position_embeddings: undefined }),
    [TOKENIZER]: await changedFile('bert-mean', TOKENIZER, { model_max_length: undefined, ...more }),
  });

  it('is a guess where no file says it, and the configuration may say it then', async () => {
    const folder = await copies.copy('bert-mean', await unlimited());
    const { info } = await probe.open(folder);
    expect(info.notes).toEqual([expect.stringContaining('nothing in the folder says how many tokens')]);
    const { info: configured } = await probe.open(folder, { maxTokens: 10 });
    expect(configured).toMatchObject({ maxTokens: 10, notes: [] });
  });

  it('may be said in a file with an older name beside an empty one', async () => {
    const folder = await copies.copy('bert-max-seq-length', {
      'sentence_bert_config.json': {},
      'sentence_roberta_config.json': { max_seq_length: 12, do_lower_case: false },
    });
    await expectReference(folder, 'bert-max-seq-length');
    const { info } = await probe.open(folder);
    expect(info).toMatchObject({ maxTokens: 12, notes: [] });
  });

  it('may be said as the networks after GPT do it', async () => {
    const files = await unlimited();
    const config = { ...files['config.json'], n_positions: 20 };
    const { info } = await probe.open(await copies.copy('bert-mean', { ...files, 'config.json': config }));
    expect(info).toMatchObject({ maxTokens: 20, notes: [] });
  });

  it('may be said as the first versions of transformers did it', async () => {
    const { info } = await probe.open(await copies.copy('bert-mean', await unlimited({ max_len: 12 })));
    expect(info).toMatchObject({ maxTokens: 12, notes: [] });
  });
});

describe('a limit of tokens that is none', () => {
  const inModule = (max_seq_length: unknown) => ({ 'sentence_bert_config.json': { max_seq_length } });
  const inTokenizer = async (limit: object) => ({
    [TOKENIZER]: await changedFile('bert-mean', TOKENIZER, limit),
  });

  it.each([1, 2])('leaves no room beside special tokens: %i', async (limit) => {
    const why = `the model takes ${limit} tokens, and 2 special ones stand around every text`;
    for (const files of [inModule(limit), await inTokenizer({ model_max_length: limit })])
      await expect(probe.open(await copies.copy('bert-mean', files))).rejects.toThrow(why);
    const folder = await copies.copy('bert-mean');
    await expect(probe.open(folder, { maxTokens: limit })).rejects.toThrow(why);
  });

  it('leaves room where it is one more', async () => {
    const { info, ids } = await probe.open(await copies.copy('bert-mean', inModule(3)), {}, ['hello world']);
    expect([info.maxTokens, ids[0]?.length]).toEqual([3, 3]);
  });

  it.each([12.5, 0, -1])('is refused by its name: %d', async (limit) => {
    for (const files of [
      inModule(limit),
      { 'sentence_bert_config.json': { processor_kwargs: { model_max_length: limit } } },
      await inTokenizer({ model_max_length: limit }),
      await inTokenizer({ max_len: limit }),
    ])
      await expect(probe.open(await copies.copy('bert-mean', files))).rejects.toThrow(
        /(max_seq_length|model_max_length|max_len): has to be a whole number above 0/,
      );
  });

  it('is none where versions without one have saved 1e30', async () => {
    const { info } = await probe.open(await copies.copy('bert-mean', inModule(1e30)));
    expect(info.maxTokens).toBe(32);
  });
});

describe('code for the tokenizer that comes with a folder', () => {
  const settings = { auto_map: { AutoTokenizer: ['tokenization_own.OwnTokenizer', null] } };

  it.each([settings, { auto_map: ['tokenization_own.OwnTokenizer', null] }])(
    'is not run, and the load says so: %j',
    async (own) => {
      const folder = await copies.copy('bert-mean', {
        [TOKENIZER]: await changedFile('bert-mean', TOKENIZER, own),
      });
      await expect(probe.open(folder)).rejects.toThrow(
        'auto_map in tokenizer_config.json names the tokenizer tokenization_own.OwnTokenizer, whose code is not run',
      );
    },
  );

  it('is no matter where transformers does not run it either, nor is that of the network', async () => {
    const folder = await copies.copy('qwen2', {
      [TOKENIZER]: await changedFile('qwen2', TOKENIZER, settings),
    });
    await expectReference(folder, 'qwen2');
    const network = await changedFile('bert-mean', 'config.json', {
      auto_map: { AutoModel: 'modeling.Own' },
    });
    await expectReference(await copies.copy('bert-mean', { 'config.json': network }), 'bert-mean');
  });
});

/** A file of safetensors with these values, of which the first is the matrix of a Dense from 8 to 12. */
function denseWeights(matrix: readonly number[], more: Readonly<Record<string, number>> = {}): Buffer {
  const tensors: [string, number[], readonly number[]][] = [
    ['linear.weight', [12, 8], matrix],
    ...Object.entries(more).map(([name, size]): [string, number[], number[]] => [
      name,
      [size],
      Array<number>(size).fill(1),
    ]),
  ];
  const data = Buffer.from(Float32Array.from(tensors.flatMap(([, , values]) => values)).buffer);
  let start = 0;
  const header = tensors.map(([name, shape, values]) => {
    const data_offsets = [start, (start += values.length * 4)];
    return [name, { dtype: 'F32', shape, data_offsets }];
  });
  const text = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

describe('weights of a module', () => {
  const matrix = Array.from({ length: 12 * 8 }, (_, index) => index / 96);
  const open = async (weights: Buffer) =>
    probe.open(await copies.copy('bert-dense-identity', { '2_Dense/model.safetensors': weights }));

  it.each([
    ['linear.bias', 12],
    ['scale.weight', 1],
  ])('are not left unread, as they are of another module: %s', async (name, size) => {
    expect((await open(denseWeights(matrix))).info.dimensions).toBe(12);
    await expect(open(denseWeights(matrix, { [name]: size }))).rejects.toThrow(
      `2_Dense/model.safetensors has ${name}, which a module with the settings of its config.json does not have`,
    );
  });

  it.each([NaN, Infinity])('that are no finite numbers would make none of any text: %d', async (value) => {
    await expect(open(denseWeights(matrix.with(5, value)))).rejects.toThrow(
      '2_Dense/model.safetensors: linear.weight has a value that is no finite number',
    );
  });
});

describe('modules whose settings are lost', () => {
  it('are not left out in silence', async () => {
    const folder = await copies.bare('bert-dense-tanh');
    await expect(probe.open(folder)).rejects.toThrow(/2_Dense holds a module, and modules\.json/);
  });
});

describe('modules that a backend does not run', () => {
  it.each([
    ['onnx', 'bert-dense-tanh', 'Dense'],
    ['fastembed', 'bert-dense-tanh', 'Dense'],
    ['onnx', 'bert-layer-norm', 'LayerNorm'],
  ] as const)('are not left out in silence by %s in %s', async (backend, name, module) => {
    const folder = await copies.copy(name, {});
    await expect(probe.open(folder, { backend })).rejects.toThrow(
      new RegExp(
        `modules\\.json has the module .*\\.${module}, which the backend ${backend} would leave out`,
      ),
    );
  });

  it('are no matter where they only pool and normalize', async () => {
    const { info } = await probe.open(await copies.copy('bert-cls', {}), { backend: 'onnx' });
    expect(info).toMatchObject({ backend: 'onnx', pooling: 'cls' });
  });
});

describe('a default prompt beside a limit of 32 tokens', () => {
  const open = async (words: number) => {
    const settings = { prompts: { query: 'a '.repeat(words) }, default_prompt_name: 'query' };
    return probe.open(await copies.copy('bert-prompts', { 'config_sentence_transformers.json': settings }));
  };

  it('may take nearly all of it', async () => {
    expect((await open(29)).info).toMatchObject({ maxTokens: 32 });
  });

  it.each([30, 500])(
    'is what the refusal names where it leaves no room for a text: %i words',
    async (words) => {
      await expect(open(words)).rejects.toThrow(
        `the default prompt "query" has ${words + 1} tokens, and the model takes 32: that leaves no room for a text`,
      );
    },
  );
});

describe('a module without weights', () => {
  it('is refused with the reason why a pickle, which no download brings along, is not missed', async () => {
    const folder = await copies.copy('bert-dense-tanh', { '2_Dense/model.safetensors': null });
    await expect(probe.open(folder)).rejects.toThrow(
      /2_Dense\/model\.safetensors is missing; a pickle .* is never read/,
    );
  });
});

describe('a class of the tokenizer that does not fit its file', () => {
  it.each([
    [
      'roberta',
      { tokenizer_class: 'BertTokenizer' },
      /BertTokenizer makes WordPiece .* tokenizer\.json is BPE/,
    ],
    ['bert-mean', { tokenizer_class: 'XLMRobertaTokenizerFast' }, /makes Unigram .* is WordPiece/],
    [
      'bert-mean',
      { tokenizer_class: 'SplinterTokenizer' },
      /SplinterTokenizer makes tokens in a way of its own, .* PreTrainedTokenizerFast/,
    ],
  ])('%s with %j is refused', async (name, values, message) => {
    const folder = await copies.copy(name, { [TOKENIZER]: await changedFile(name, TOKENIZER, values) });
    await expect(probe.open(folder)).rejects.toThrow(message);
  });

  it('is that of the network where no file names one', async () => {
    const folder = await copies.copy('xlm-roberta', {
      'config.json': await changedFile('xlm-roberta', 'config.json', { model_type: 'big_bird' }),
      [TOKENIZER]: await changedFile('xlm-roberta', TOKENIZER, { tokenizer_class: undefined }),
    });
    await expect(probe.open(folder)).rejects.toThrow(/BigBirdTokenizer makes tokens in a way of its own/);
  });

  it('does not matter to FastEmbed, which takes the file as it is', async () => {
    const settings = { tokenizer_class: 'BertTokenizer' };
    const folder = await copies.bare('bert-cased', {
      'special_tokens_map.json': {},
      [TOKENIZER]: await changedFile('bert-cased', TOKENIZER, settings),
    });
    const options = { backend: 'fastembed', graph: { pooling: ['mean'] } } as const;
    const { batch } = await probe.open(folder, options, TEXTS);
    (await referenceVectors('bert-cased', TEXTS)).forEach((vector, row) =>
      vector.forEach((value, index) => expect(batch[row]?.[index]).toBeCloseTo(value, 5)),
    );
  });

  it('does not matter where transformers keeps to the file', async () => {
    const folder = await copies.copy('modernbert', {
      [TOKENIZER]: await changedFile('modernbert', TOKENIZER, { tokenizer_class: 'RobertaTokenizer' }),
    });
    await expectReference(folder, 'modernbert');
  });
});

describe('a graph that pools by itself', () => {
  it('is refused where prompts are to be left out, though the folder has none: callers may bring one', async () => {
    const folder = await copies.copy('bert-graph-pools', {
      '1_Pooling/config.json': { word_embedding_dimension: 8, pooling_mode: 'mean', include_prompt: false },
    });
    await expect(probe.open(folder)).rejects.toThrow(
      'the graph pools by itself and cannot leave prompts out, as include_prompt asks for',
    );
  });
});

describe('special tokens that are only named', () => {
  it('stay letters where the network has no vectors for more', async () => {
    const text = 'a [MSK] b';
    const more = await probe.open(join(REFERENCE_MODELS, 'bert-named-tokens'), {}, [text]);
    expect(more.ids).toEqual([[261, 20, 262, 21, 3]]);
    const folder = await copies.copy('bert-named-tokens', {
      'config.json': await changedFile('bert-named-tokens', 'config.json', { vocab_size: 260 }),
    });
    const { ids } = await probe.open(folder, {}, [text]);
    // [CLS] of tokenizer.json, as the class has none.
    expect(ids[0]?.[0]).toBe(2);
    expect(Math.max(...(ids[0] ?? []))).toBeLessThan(260);
  });
});

describe('a tokenizer without a token for what its vocabulary lacks', () => {
  it('is refused with the reason, which would be the fault of each text otherwise', async () => {
    const settings = { tokenizer_class: 'BertTokenizer', unk_token: '[OTHER]' };
    const words = await copies.copy('bert-mean', {
      [TOKENIZER]: await changedFile('bert-mean', TOKENIZER, settings),
    });
    await expect(probe.open(words)).rejects.toThrow(/tokens of every text: WordPiece error: Missing \[UNK\]/);
    const { model } = (await changedFile('xlm-roberta', 'tokenizer.json', {})) as { model: object };
    const pieces = await copies.copy('xlm-roberta', {
      'tokenizer.json': await changedFile('xlm-roberta', 'tokenizer.json', {
        model: { ...model, unk_id: null },
      }),
    });
    await expect(probe.open(pieces)).rejects.toThrow(/tokens of every text: .*unk/);
  });
});

describe('a network that compares texts token by token', () => {
  it('is not taken for one with a vector for each text, unless the configuration says how it is made', async () => {
    const config = await changedFile('bert-mean', 'config.json', { architectures: ['HF_ColBERT'] });
    const folder = await copies.bare('bert-mean', { 'config.json': config });
    await expect(probe.open(folder)).rejects.toThrow(/HF_ColBERT, .* has no vector for a text/);
    const { info } = await probe.open(folder, { graph: { pooling: ['mean'] } });
    expect(info.pooling).toBe('mean');
  });
});

describe('a tokenizer that makes other tokens each time', () => {
  it('is refused', async () => {
    const { model } = (await changedFile('roberta', 'tokenizer.json', {})) as { model: object };
    const tokenizer = await changedFile('roberta', 'tokenizer.json', { model: { ...model, dropout: 0.1 } });
    const folder = await copies.copy('roberta', { 'tokenizer.json': tokenizer });
    await expect(probe.open(folder)).rejects.toThrow(/model\.dropout: makes other tokens/);
  });
});

describe('a graph with vectors of tokens and of texts', () => {
  it('is pooled as the folder says it', async () => {
    const folder = join(copies.root, 'both-outputs');
    const tokens = ['batch', 'length'];
    const graph = modelFile([
      block(1, [text(1, 'table'), text(1, 'input_ids'), text(2, 'last_hidden_state'), text(4, 'Gather')]),
      block(1, [text(1, 'last_hidden_state'), text(2, 'sentence_embedding'), text(4, 'Flatten')]),
      text(2, 'both'),
      initializer(
        'table',
        [9, 2],
        Float32Array.from({ length: 18 }, (_, index) => index + 1),
      ),
      ...['input_ids', 'attention_mask'].map((name) => port(11, name, INT64, tokens)),
      port(12, 'last_hidden_state', FLOAT, [...tokens, 2]),
      port(12, 'sentence_embedding', FLOAT, ['batch', 'all']),
    ]);
    const pooling = { word_embedding_dimension: 2, pooling_mode_cls_token: true };
    await writeTinyBert(folder, { 'onnx/model.onnx': graph, '1_Pooling/config.json': pooling });
    const { info } = await probe.open(folder);
    expect(info).toMatchObject({ output: 'last_hidden_state', pooling: 'cls', dimensions: 2, notes: [] });
  });
});

describe('a graph that pools', () => {
  /** The mean of the rows of a table. */
  function pooling(output: string, width: number): Buffer {
    const table = Float32Array.from({ length: 300 * width }, (_, index) => Math.sin(index));
    const [axes, keepdims] = [
      [text(1, 'axes'), number(8, 1), number(20, 7)],
      [text(1, 'keepdims'), number(3, 0), number(20, 2)],
    ];
    const mean = [
      text(1, 'tokens'),
      text(2, output),
      text(4, 'ReduceMean'),
      block(5, axes),
      block(5, keepdims),
    ];
    return modelFile([
      block(1, [text(1, 'table'), text(1, 'input_ids'), text(2, 'tokens'), text(4, 'Gather')]),
      block(1, mean),
      text(2, 'pools'),
      initializer('table', [300, width], table),
      port(11, 'input_ids', INT64, ['batch', 'length']),
      port(12, output, FLOAT, ['batch', width]),
    ]);
  }

  it('is followed by the Dense of the folder where it ends before that, whatever its output is called', async () => {
    const files = { 'onnx/model.onnx': pooling('sentence_embedding', 8) };
    const { info } = await probe.open(await copies.copy('bert-dense-tanh', files));
    expect(info).toMatchObject({ dimensions: 4, pooling: 'model', modules: ['dense', 'normalize'] });
  });

  it('says that its only output is one for classification', async () => {
    const folder = await copies.bare('bert-mean', { 'onnx/model.onnx': pooling('pooler_output', 8) });
    const { info } = await probe.open(folder);
    const note = expect.stringContaining('"pooler_output", which most networks make for');
    expect(info.notes).toContainEqual(note);
    const named = await probe.open(folder, { graph: { output: 'pooler_output' } });
    expect(named.info.notes).not.toContainEqual(note);
  });

  it('says that it is not pooled as the configuration wants it', async () => {
    const folder = await copies.bare('bert-mean', { 'onnx/model.onnx': pooling('embeddings', 8) });
    const { info } = await probe.open(folder, { graph: { pooling: ['cls'] } });
    expect(info.notes).toContain('the graph pools by itself: EMBEDDING_POOLING is without effect');
  });
});

describe('a folder that was copied without what its links lead to', () => {
  it.each([
    'modules.json',
    'config_sentence_transformers.json',
    '1_Pooling/config.json',
    'tokenizer_config.json',
    'onnx/model.onnx',
  ])('does not pass for one without %s', async (file) => {
    const graph = await readFile(join(REFERENCE_MODELS, 'bert-mean/onnx/model.onnx'));
    const folder = await copies.copy('bert-mean', { 'onnx/model_quantized.onnx': graph });
    await rm(join(folder, file));
    await symlink('/no/such/blob', join(folder, file));
    await expect(probe.open(folder)).rejects.toThrow(`${file} is a link to a file that is not there`);
  });
});
