import { cp, mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ModelCopies, REFERENCE_MODELS as REFERENCES, referenceVectors } from '../../fixture/model-copies.ts';
import { ModelProbe } from '../../fixture/model-probe.ts';
import { initializer, INT64, modelFile, port } from '../../fixture/onnx-graph.ts';
import { block, text } from '../../fixture/protobuf.ts';
import { writeTinyBert } from '../../fixture/tiny-bert.ts';

const TYPE = 'sentence_transformers.models';
const TEXTS = ['hello world', 'a', 'NEW YORK is a city'];

const probe = new ModelProbe();
let copies: ModelCopies;
const copy: ModelCopies['copy'] = (...given) => copies.copy(...given);
const bare: ModelCopies['bare'] = (...given) => copies.bare(...given);
beforeAll(async () => {
  copies = await ModelCopies.make();
});
afterAll(async () => {
  await probe.stop();
  await copies.remove();
});

/** A graph whose inputs or outputs have other names of the same length. */
async function renamed(name: string, from: string, to: string): Promise<Buffer> {
  const graph = await readFile(join(REFERENCES, name, 'onnx/model.onnx'), 'latin1');
  return Buffer.from(graph.replaceAll(from, to), 'latin1');
}

async function expectReference(name: string, actual: readonly (readonly number[])[]): Promise<void> {
  (await referenceVectors(name, TEXTS)).forEach((vector, row) =>
    vector.forEach((value, index) => expect(actual[row]?.[index]).toBeCloseTo(value, 5)),
  );
}

describe('what is not understood stops the load with its name', () => {
  const module = (type: string, path = '1_Pooling') => [
    { idx: 0, name: '0', path: '', type: `${TYPE}.Transformer` },
    { idx: 1, name: '1', path, type },
  ];
  const pooling = { word_embedding_dimension: 8 };
  const dense = {
    in_features: 8,
    out_features: 4,
    bias: true,
    activation_function: 'torch.nn.modules.activation.Tanh',
  };

  it.each<[string, string, Record<string, unknown>, RegExp]>([
    [
      'a module',
      'bert-mean',
      { 'modules.json': module(`${TYPE}.WordWeights`) },
      /sentence_transformers\.models\.WordWeights/,
    ],
    [
      "somebody else's module",
      'bert-mean',
      { 'modules.json': module('custom_st.Pooling') },
      /custom_st\.Pooling/,
    ],
    [
      'another first module',
      'bert-mean',
      { 'modules.json': [{ path: '', type: `${TYPE}.WordEmbeddings` }] },
      /begins with sentence_transformers\.models\.WordEmbeddings; understood there are: Transformer, StaticEmbedding/,
    ],
    [
      "somebody else's first module",
      'bert-mean',
      { 'modules.json': [{ path: '', type: 'custom_st.Transformer', kwargs: ['task'] }] },
      /begins with custom_st\.Transformer, whose code is not run;.* the backend onnx can do it/,
    ],
    [
      'what calls may say to a module',
      'bert-mean',
      { 'modules.json': [{ path: '', type: `${TYPE}.Transformer`, kwargs: ['task'] }] },
      /gives sentence_transformers\.models\.Transformer the kwargs task, which are not understood/,
    ],
    ['no pooling', 'bert-mean', { 'modules.json': module(`${TYPE}.Normalize`, '2_Normalize') }, /no Pooling/],
    [
      'two poolings',
      'bert-mean',
      { 'modules.json': [...module(`${TYPE}.Pooling`), { path: '1_Pooling', type: `${TYPE}.Pooling` }] },
      /second Pooling/,
    ],
    [
      'a key of a module',
      'bert-mean',
      { 'modules.json': [{ path: '', type: `${TYPE}.Transformer`, router: 1 }] },
      /"router"/,
    ],
    [
      'a pooling',
      'bert-mean',
      { '1_Pooling/config.json': { ...pooling, pooling_mode: 'attention' } },
      /pooling_mode/,
    ],
    [
      'a flag of pooling',
      'bert-mean',
      { '1_Pooling/config.json': { ...pooling, pooling_mode_attention: true } },
      /"pooling_mode_attention"/,
    ],
    [
      'no settings of pooling',
      'bert-mean',
      { '1_Pooling/config.json': null },
      /1_Pooling\/config\.json is missing/,
    ],
    [
      'an activation',
      'bert-dense-tanh',
      { '2_Dense/config.json': { ...dense, activation_function: 'torch.nn.modules.activation.Mish' } },
      /Mish/,
    ],
    [
      'an activation of somebody else',
      'bert-dense-tanh',
      { '2_Dense/config.json': { ...dense, activation_function: 'my.Tanh' } },
      /my\.Tanh/,
    ],
    ['a key of Dense', 'bert-dense-tanh', { '2_Dense/config.json': { ...dense, dropout: 0.1 } }, /"dropout"/],
    [
      'a Dense for tokens',
      'bert-dense-tanh',
      { '2_Dense/config.json': { ...dense, module_input_name: 'token_embeddings' } },
      /module_input_name: a layer for anything but the vectors of texts/,
    ],
    [
      'weights as a pickle',
      'bert-dense-tanh',
      { '2_Dense/model.safetensors': null, '2_Dense/pytorch_model.bin': {} },
      /2_Dense\/pytorch_model\.bin is a pickle/,
    ],
    [
      'weights of another shape',
      'bert-dense-tanh',
      { '2_Dense/config.json': { ...dense, out_features: 3 } },
      /linear\.weight is \[4, 8\] and should be \[3, 8\]/,
    ],
    [
      'modules that do not fit',
      'bert-dense-tanh',
      { '1_Pooling/config.json': { pooling_mode: ['cls', 'mean'] } },
      /2_Dense takes 8 values, and 16/,
    ],
    [
      'a setting of the Transformer',
      'bert-mean',
      { 'sentence_bert_config.json': { attention_bias: 1 } },
      /"attention_bias"/,
    ],
    [
      'a setting that changes texts',
      'bert-mean',
      { 'sentence_bert_config.json': { query_length: 8 } },
      /query_length/,
    ],
    [
      'texts as messages of a chat',
      'bert-mean',
      {
        'sentence_bert_config.json': {
          modality_config: {
            text: { method: 'forward', method_output_name: 'last_hidden_state' },
            message: { method: 'forward', method_output_name: 'last_hidden_state', format: 'flat' },
          },
        },
      },
      /modality_config\.message: puts the template of a chat around every text/,
    ],
    [
      'a setting of the model',
      'bert-mean',
      { 'config_sentence_transformers.json': { quantization: 'int8' } },
      /"quantization"/,
    ],
    [
      'a default prompt without text',
      'bert-mean',
      { 'config_sentence_transformers.json': { prompts: { a: 'a' }, default_prompt_name: 'b' } },
      /default_prompt_name b/,
    ],
    [
      'more dimensions than there are',
      'bert-mean',
      { 'config_sentence_transformers.json': { truncate_dim: 9 } },
      /cut to 9 values: the model gives 8/,
    ],
    [
      'a module outside of the folder',
      'bert-mean',
      { 'modules.json': module(`${TYPE}.Pooling`, '../bert-cls/1_Pooling') },
      /outside of the folder/,
    ],
    [
      'a file that is no JSON',
      'bert-mean',
      { 'modules.json': Buffer.from('{') },
      /modules\.json is not JSON/,
    ],
    ...['onnx/model.onnx', 'tokenizer.json', '2_Dense/model.safetensors'].map(
      (file): [string, string, Record<string, unknown>, RegExp] => [
        `a pointer in the place of ${file}`,
        'bert-dense-tanh',
        { [file]: Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 90\n') },
        new RegExp(`${file} is a pointer of Git LFS`),
      ],
    ),
    [
      'vectors that are compared token by token',
      'bert-mean',
      { 'config_sentence_transformers.json': { similarity_fn_name: 'maxsim' } },
      /similarity_fn_name: .*manhattan/,
    ],
    [
      'a folder in the place of the graph',
      'bert-mean',
      { 'onnx/model.onnx': null, 'onnx/model.onnx/data': {} },
      /^onnx\/model\.onnx is no file$/,
    ],
    ['an empty graph', 'bert-mean', { 'onnx/model.onnx': Buffer.alloc(0) }, /^onnx\/model\.onnx is empty$/],
    [
      'a pointer in the place of data of the graph',
      'bert-external-data',
      {
        'onnx/weights.bin': Buffer.from(
          'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 90\n',
        ),
      },
      /onnx\/weights\.bin is a pointer of Git LFS/,
    ],
    [
      'a closing token that one file asks for and the other does not put there',
      'qwen3',
      { 'tokenizer_config.json': { add_eos_token: true, eos_token: { content: '<|im_end|>' } } },
      /add_eos_token.*puts no <\|im_end\|> there/,
    ],
    [
      'special tokens that are taken apart',
      'bert-mean',
      { 'tokenizer_config.json': { split_special_tokens: true } },
      /split_special_tokens: is not understood/,
    ],
    [
      'no tokenizer',
      'bert-mean',
      { 'tokenizer.json': null },
      /tokenizer\.json is missing; there is: .*onnx\/model\.onnx/,
    ],
  ])('%s', async (_, name, files, message) => {
    await expect(probe.open(await copy(name, files))).rejects.toThrow(message);
  });

  it('settings that say again what the folder says', async () => {
    const folder = join(REFERENCES, 'bert-mean');
    await expect(probe.open(folder, { graph: { pooling: ['cls'] } })).rejects.toThrow(
      /modules\.json.*EMBEDDING_POOLING/,
    );
  });

  it.each([
    ['EMBEDDING_GRAPH_INPUTS', 'transformers', { inputs: ['input_ids=input_ids'] }],
    ['EMBEDDING_POOLING', 'cross-encoder', { pooling: ['cls'] }],
    ['EMBEDDING_NORMALIZE', 'cross-encoder', { normalize: false }],
  ] as const)('%s, which the backend %s does not use', async (name, backend, graph) => {
    await expect(probe.open(await bare('bert-mean'), { backend, graph })).rejects.toThrow(
      `${name} is not used by the backend ${backend}`,
    );
  });
});

describe('a limit that other files of the folder contradict', () => {
  it('is measured where the contradiction begins, though a run at the limit itself would be too large', async () => {
    const settings = { 'sentence_bert_config.json': { max_seq_length: 99_999 } };
    const { info, ids } = await probe.open(await copy('bert-mean', settings), {}, ['word '.repeat(200)]);
    expect(info).toMatchObject({ maxTokens: 32, limitMeasured: true });
    expect(ids[0]).toHaveLength(32);
  });
});

describe('the backend onnx', () => {
  it('is found where no file says more, and says what it guesses', async () => {
    const { info, batch } = await probe.open(await bare('bert-mean'), {}, TEXTS);
    expect(info).toMatchObject({ backend: 'onnx', pooling: 'mean', modules: ['pooling', 'normalize'] });
    expect(info.notes).toEqual([expect.stringContaining('"mean" is used')]);
    await expectReference('bert-mean', batch);
  });

  it.each(['model.onnx', 'onnx/model_optimized.onnx', 'onnx/of-any-name.onnx'])('takes %s', async (file) => {
    const folder = await bare('bert-cls');
    await rename(join(folder, 'onnx/model.onnx'), join(folder, file));
    const { info, batch } = await probe.open(folder, { graph: { pooling: ['cls'] } }, TEXTS);
    expect(info.notes).toEqual([]);
    await expectReference('bert-cls', batch);
  });

  it('takes inputs and outputs by the names that the configuration gives', async () => {
    const folder = await bare('bert-mean', {
      'onnx/model.onnx': await renamed('bert-mean', 'input_ids', 'given_idz'),
    });
    await expect(probe.open(folder)).rejects.toThrow(
      /given_idz \(int64 \[batch, length\]\).*EMBEDDING_GRAPH_INPUTS/,
    );
    const { batch } = await probe.open(folder, { graph: { inputs: ['input_ids=given_idz'] } }, TEXTS);
    await expectReference('bert-mean', batch);
    await expect(probe.open(folder, { graph: { inputs: ['input_ids=other'] } })).rejects.toThrow(
      /"input_ids=other"/,
    );
    await expect(
      probe.open(folder, { graph: { inputs: ['input_ids=given_idz'], output: 'other' } }),
    ).rejects.toThrow(/last_hidden_state \(rank 3\).*no usable "other".*EMBEDDING_GRAPH_OUTPUT/);
  });

  it.each([
    ['attention_mask', 'the_input_mask'],
    ['input_ids', 'INPUT_IDS'],
  ])('guesses where only one thing can be meant: %s is %s', async (name, other) => {
    const graph = await renamed('bert-mean', name, other);
    const { batch } = await probe.open(await bare('bert-mean', { 'onnx/model.onnx': graph }), {}, TEXTS);
    await expectReference('bert-mean', batch);
  });

  it('takes a graph that pools by itself, and says nothing of pooling then', async () => {
    const { info, batch } = await probe.open(await bare('bert-graph-pools'), {}, TEXTS);
    expect(info).toMatchObject({ pooling: 'model', modules: ['normalize'], notes: [] });
    await expectReference('bert-graph-pools', batch);
  });

  it('takes no scores of a vocabulary for vectors, unless it is told to', async () => {
    const graph = await renamed('bert-mean', 'last_hidden_state', 'prediction_logits');
    const folder = await bare('bert-mean', { 'onnx/model.onnx': graph });
    await expect(probe.open(folder)).rejects.toThrow(/prediction_logits \(rank 3\).*EMBEDDING_GRAPH_OUTPUT/);
    const { info } = await probe.open(folder, { graph: { output: 'prediction_logits' } });
    expect(info.output).toBe('prediction_logits');
  });

  it('does not guess how a decoder is pooled', async () => {
    const folder = await bare('qwen3');
    await expect(probe.open(folder)).rejects.toThrow(/see only those before them.*EMBEDDING_POOLING/);
    const { info } = await probe.open(folder, { graph: { pooling: ['lasttoken'] } });
    expect(info.pooling).toBe('lasttoken');
  });

  it('names the outputs of a graph that has none of floating-point numbers', async () => {
    const folder = join(copies.root, 'whole-numbers');
    const table = initializer(
      'table',
      [9, 1],
      BigInt64Array.from({ length: 9 }, (_, id) => BigInt(id)),
    );
    const gather = [text(1, 'table'), text(1, 'input_ids'), text(2, 'codes'), text(4, 'Gather')];
    const [given, codes] = [
      port(11, 'input_ids', INT64, ['b', 'l']),
      port(12, 'codes', INT64, ['b', 'l', 1]),
    ];
    const graph = modelFile([block(1, gather), text(2, 'whole'), table, given, codes]);
    await writeTinyBert(folder, { 'onnx/model.onnx': graph });
    await expect(probe.open(folder)).rejects.toThrow('the outputs codes (int64), and none of floating-point');
  });

  it('runs every text alone where a graph measures its numbers over the whole batch', async () => {
    const graph = await readFile(join(import.meta.dirname, '../../fixture/bert-mean-quantized.onnx'));
    const files = { 'onnx/model.onnx': null, 'onnx/model_quantized.onnx': graph };
    const { info, alone, batch, backwards } = await probe.open(await bare('bert-mean', files), {}, TEXTS);
    expect(info).toMatchObject({ dtype: 'q8', batchable: false });
    expect(info.notes.join()).toContain('every text is run alone');
    expect([batch, backwards]).toEqual([alone, alone]);
  });

  it('may leave vectors as long as they are, and cut them', async () => {
    const options = { graph: { pooling: ['max'], normalize: false }, truncateDimensions: 3 } as const;
    const { info, batch } = await probe.open(await bare('bert-max'), options, TEXTS);
    expect(info.dimensions).toBe(3);
    const [first] = await referenceVectors('bert-max', TEXTS);
    batch[0]?.forEach((value, index) => expect(value).toBeCloseTo(first?.[index] as number, 5));
  });
});

describe('the other backends', () => {
  it('transformers gives the same vectors', async () => {
    const { info, batch } = await probe.open(await bare('bert-mean'), { backend: 'transformers' }, TEXTS);
    expect(info).toMatchObject({ backend: 'transformers', tokenizer: 'native', maxTokens: 32 });
    await expectReference('bert-mean', batch);
  });

  it('fastembed is found by its files, in the cache of the hub too, and takes the first token', async () => {
    const limits = { max_length: 12, model_max_length: 32, pad_token: '[PAD]' };
    const folder = await bare('bert-cls', {
      'special_tokens_map.json': {},
      'tokenizer_config.json': limits,
    });
    await rename(join(folder, 'onnx/model.onnx'), join(folder, 'model_optimized.onnx'));
    const cache = join(copies.root, 'models--qdrant--bert-cls');
    await mkdir(join(cache, 'refs'), { recursive: true });
    await cp(folder, join(cache, 'snapshots/abc'), { recursive: true });
    await writeFile(join(cache, 'refs/main'), 'abc');
    for (const path of [folder, cache]) {
      const { info, batch } = await probe.open(path, {}, TEXTS);
      expect(info).toMatchObject({ backend: 'fastembed', pooling: 'cls', maxTokens: 12 });
      await expectReference('bert-cls', batch);
    }
  });

  it('sentence-transformers needs its files', async () => {
    const folder = await bare('bert-mean');
    await expect(probe.open(folder, { backend: 'sentence-transformers' })).rejects.toThrow(
      /modules\.json is missing; there is: /,
    );
  });
});

describe('number format and device', () => {
  it('lists what is there where the wanted format is not', async () => {
    await expect(probe.open(join(REFERENCES, 'bert-mean'), { dtype: 'q8' })).rejects.toThrow(
      /onnx\/model_quantized\.onnx is missing; there is: .*onnx\/model\.onnx.*EMBEDDING_DTYPE/,
    );
    const folder = await copy('bert-mean');
    await rename(join(folder, 'onnx/model.onnx'), join(folder, 'onnx/model_quantized.onnx'));
    await expect(probe.open(folder, { dtype: 'fp32' })).rejects.toThrow(/onnx\/model\.onnx is missing/);
    expect((await probe.open(folder)).info.dtype).toBe('q8');
  });

  it('says what keeps a device from being used, or why auto does not use it', async () => {
    const folder = join(REFERENCES, 'bert-mean');
    await expect(probe.open(folder, { device: 'cuda' })).rejects.toThrow(
      /the device cuda cannot be used here: .*has cpu/,
    );
    const { info } = await probe.open(folder, { device: 'auto' });
    expect(info.notes.join()).toContain('cuda is not used: ');
    expect(['cpu', 'webgpu']).toContain(info.device);
  });
});

describe('the digest', () => {
  const digest = async (folder: string) => (await probe.open(folder)).info.digest;

  it('is the same for the same files, wherever they are, and whatever else is there', async () => {
    const other = await copy('bert-dense-tanh', { 'README.md': {}, 'onnx/model_quantized.onnx': {} });
    expect(await digest(other)).toBe(await digest(join(REFERENCES, 'bert-dense-tanh')));
  });

  it.each([
    ['bert-external-data', 'onnx/weights.bin'],
    ['bert-external-data', 'onnx/model.onnx'],
    ['bert-dense-tanh', '2_Dense/model.safetensors'],
  ])('of %s changes with a byte of %s', async (name, file) => {
    const content = await readFile(join(REFERENCES, name, file));
    // In the middle of the last weights: still a number.
    const at = file.endsWith('.onnx') ? content.indexOf('pytorch') : content.length - 8;
    content.writeUInt8((content.readUInt8(at) + 1) % 120, at);
    expect(await digest(await copy(name, { [file]: content }))).not.toBe(
      await digest(join(REFERENCES, name)),
    );
  });

  it.each([
    'config.json',
    'tokenizer_config.json',
    'config_sentence_transformers.json',
    '2_Normalize/config.json',
  ])('changes with %s', async (file) => {
    const content = JSON.parse(await readFile(join(REFERENCES, 'bert-mean', file), 'utf8')) as unknown;
    const folder = await copy('bert-mean');
    await writeFile(join(folder, file), JSON.stringify(content, undefined, 1));
    expect(await digest(folder)).not.toBe(await digest(join(REFERENCES, 'bert-mean')));
  });

  it('is made of the files behind the links of the cache of the hub', async () => {
    const source = join(REFERENCES, 'bert-external-data');
    const cache = join(copies.root, 'models--some--links');
    const entries = await readdir(source, { recursive: true, withFileTypes: true });
    for (const [number, entry] of entries.entries()) {
      if (!entry.isFile()) continue;
      const [file, blob] = [join(entry.parentPath, entry.name), join(cache, 'blobs', String(number))];
      const link = join(cache, 'snapshots/abc', relative(source, file));
      await cp(file, blob);
      await mkdir(dirname(link), { recursive: true });
      await symlink(relative(dirname(link), blob), link);
    }
    const { info, batch } = await probe.open(cache, {}, TEXTS);
    expect(info.digest).toBe(await digest(source));
    await expectReference('bert-external-data', batch);
  });

  it('needs the files that the graph refers to', async () => {
    const folder = await copy('bert-external-data', { 'onnx/weights.bin': null });
    await expect(probe.open(folder)).rejects.toThrow(
      'onnx/model.onnx has weights in onnx/weights.bin, which is missing',
    );
  });
});
