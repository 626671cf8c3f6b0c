import { mkdir, readFile, rename, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { changedFile, ModelCopies, REFERENCE_MODELS } from '../../fixture/model-copies.ts';
import { ModelProbe } from '../../fixture/model-probe.ts';
import { FLOAT, initializer, INT64, modelFile, port } from '../../fixture/onnx-graph.ts';
import { block, number, text } from '../../fixture/protobuf.ts';

const TEXTS = ['a short text', 'and another one'];
const probe = new ModelProbe();
let copies: ModelCopies;
beforeAll(async () => {
  copies = await ModelCopies.make();
});
afterAll(async () => {
  await probe.stop();
  await copies.remove();
});

/** A model as an export leaves it, with the name of the one it was made of. */
async function exported(origin: string, files: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const config = await changedFile('bert-mean', 'config.json', { _name_or_path: origin });
  return copies.bare('bert-mean', { 'config.json': config, ...files });
}

describe('a copy of a widely used model that does not say how its vectors are made', () => {
  it.each([
    ['BAAI/bge-small-en-v1.5', 'cls'],
    ['BAAI/bge-m3', 'cls'],
    ['Snowflake/snowflake-arctic-embed-m-v1.5', 'cls'],
    ['/models/gte-modernbert-base-onnx', 'cls'],
    ['maidalun1020/bce-embedding-base_v1', 'cls'],
    ['/models/sentence_transformers/BAAI_bge-small-en/', 'cls'],
    ['someone/bge-m3-onnx-o4', 'cls'],
    ['someone/bge-base-en-v1.5-quant', 'cls'],
    ['sentence-transformers/multi-qa-mpnet-base-dot-v1', 'cls'],
    ['someone/MedEmbed-base-v0.1-ONNX', 'cls'],
    ['sentence-transformers/multi-qa-MiniLM-L6-cos-v1', 'mean'],
    ['someone/bge-small-en-v1.5-of-their-own', 'mean'],
    ['mixedbread-ai/mxbai-embed-xsmall-v1', 'mean'],
    ['sentence-transformers/all-MiniLM-L6-v2', 'mean'],
    ['TaylorAI/bge-micro-v2', 'mean'],
  ])('of %s is pooled by %s, as the model is, and says so', async (origin, pooling) => {
    const { info } = await probe.open(await exported(origin));
    expect(info.pooling).toBe(pooling);
    expect(info.notes).toEqual([expect.stringContaining(`"${pooling}" is used`)]);
  });

  it.each([
    ['sentence-transformers/multi-qa-mpnet-base-dot-v1', ['pooling']],
    ['sentence-transformers/msmarco-bert-base-dot-v5', ['pooling']],
    ['sentence-transformers/multi-qa-mpnet-base-cos-v1', ['pooling', 'normalize']],
  ])('of %s is as long as the model makes it, or of length 1', async (origin, modules) => {
    const folder = await exported(origin);
    expect((await probe.open(folder)).info.modules).toEqual(modules);
    const { info } = await probe.open(folder, { graph: { normalize: true } });
    expect(info.modules).toEqual(['pooling', 'normalize']);
  });

  it('is pooled as the folder or the configuration says where they do', async () => {
    const name = 'BAAI/bge-small-en-v1.5';
    const said = await probe.open(await exported(name), { graph: { pooling: ['mean'] } });
    expect(said.info).toMatchObject({ pooling: 'mean', notes: [] });
    const pooling = { word_embedding_dimension: 8, pooling_mode_mean_tokens: true };
    const own = await probe.open(await exported(name, { '1_Pooling/config.json': pooling }));
    expect(own.info).toMatchObject({ pooling: 'mean', notes: [] });
  });

  it('is no mean of FastEmbed, unless the model is', async () => {
    const graph = await readFile(join(REFERENCE_MODELS, 'bert-mean/onnx/model.onnx'));
    const files = { 'onnx/model.onnx': null, 'model_optimized.onnx': graph, 'special_tokens_map.json': {} };
    const infoOf = async (origin: string) => (await probe.open(await exported(origin, files))).info;
    expect(await infoOf('BAAI/bge-base-en')).toMatchObject({
      pooling: 'cls',
      modules: ['pooling', 'normalize'],
    });
    const mean = await infoOf('sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2');
    expect(mean).toMatchObject({ pooling: 'mean', modules: ['pooling'] });
  });

  it('is none of FastEmbed where optimum has optimised its graph', async () => {
    const graph = await readFile(join(REFERENCE_MODELS, 'bert-mean/onnx/model.onnx'));
    const files = { 'onnx/model.onnx': null, 'model_optimized.onnx': graph, 'special_tokens_map.json': {} };
    const folder = await exported('sentence-transformers/all-MiniLM-L6-v2', {
      ...files,
      'ort_config.json': {},
    });
    const { info } = await probe.open(folder);
    expect(info).toMatchObject({ backend: 'onnx', pooling: 'mean' });
  });

  it.each([
    ['models--BAAI--bge-small-en-v1.5', 'cls'],
    ['models--BAAI--bge-small-en-v1.5/snapshots/5c38ec7', 'cls'],
    ['models--TaylorAI--bge-micro-v2', 'mean'],
  ])('is known in the cache of the hub too, as %s, and behind a link', async (path, pooling) => {
    const root = join(copies.root, pooling + basename(path));
    const repository = join(root, path.split('/')[0] as string);
    await mkdir(join(repository, 'snapshots'), { recursive: true });
    await rename(await copies.bare('bert-mean'), join(repository, 'snapshots/5c38ec7'));
    await symlink(join(root, path), join(root, 'a-link'));
    for (const name of [path, 'a-link']) {
      const { info } = await probe.open(join(root, name));
      expect(info.pooling).toBe(pooling);
    }
  });

  it('is pooled by its last token where it is a decoder that is known for that', async () => {
    const config = await changedFile('qwen3', 'config.json', { _name_or_path: 'Qwen/Qwen3-Embedding-0.6B' });
    const { info, alone } = await probe.open(
      await copies.bare('qwen3', { 'config.json': config }),
      {},
      TEXTS,
    );
    expect(info.notes).toEqual([
      'nothing in the folder says how token vectors become one; "lasttoken" is used, as in Qwen3-Embedding-0.6B',
    ]);
    const told = await probe.open(await copies.bare('qwen3'), { graph: { pooling: ['lasttoken'] } }, TEXTS);
    expect(alone).toEqual(told.alone);
  });

  it.each(['someone/mdbr-leaf-ir-ONNX', 'infgrad/stella-mrl-large-zh-v3.5-1792d'])(
    'is refused where %s has lost its Dense',
    async (origin) => {
      await expect(probe.open(await exported(origin))).rejects.toThrow('Dense layer makes the vectors of');
    },
  );

  it('is refused where a Dense is lost that makes its vectors, unless the graph pools', async () => {
    const origin = 'sentence-transformers/distiluse-base-multilingual-cased-v2';
    await expect(probe.open(await exported(origin))).rejects.toThrow(
      /Dense layer makes the vectors of distiluse-base-multilingual-cased-v2.*EMBEDDING_POOLING/,
    );
    const graph = await readFile(join(REFERENCE_MODELS, 'bert-graph-pools/onnx/model.onnx'));
    const { info } = await probe.open(await exported(origin, { 'onnx/model.onnx': graph }));
    expect(info.pooling).toBe('model');
  });
});

describe('a decoder in 8 bits, whose numbers are measured over each batch', () => {
  it('is known for one: no pooling is guessed', async () => {
    const graph = await readFile(join(import.meta.dirname, '../../fixture/qwen3-quantized.onnx'));
    const folder = await copies.bare('qwen3', {
      'onnx/model.onnx': null,
      'onnx/model_quantized.onnx': graph,
    });
    await expect(probe.open(folder)).rejects.toThrow(/see only those before them.*EMBEDDING_POOLING/);
  });
});

describe('a graph that mixes the texts of a batch', () => {
  /** Vectors of tokens, to which a node adds what it makes of all tokens of the batch. */
  function mixing(node: Buffer): Buffer {
    const tokens = ['batch', 'length'];
    const table = Float32Array.from(
      { length: 300 * 8 },
      (_, index) => 1 + Math.sin(Math.floor(index / 8)) / 2,
    );
    return modelFile([
      block(1, [text(1, 'table'), text(1, 'input_ids'), text(2, 'tokens'), text(4, 'Gather')]),
      node,
      block(1, [text(1, 'mixed'), text(1, 'share'), text(2, 'added'), text(4, 'Mul')]),
      block(1, [text(1, 'tokens'), text(1, 'added'), text(2, 'last_hidden_state'), text(4, 'Add')]),
      text(2, 'mixing'),
      initializer('table', [300, 8], table),
      initializer('share', [1], Float32Array.of(0.01)),
      initializer('axis', [1], BigInt64Array.of(0n)),
      ...['input_ids', 'attention_mask'].map((name) => port(11, name, INT64, tokens)),
      port(12, 'last_hidden_state', FLOAT, [...tokens, 8]),
    ]);
  }

  it.each([
    ['by a hundredth', block(1, [text(1, 'tokens'), text(2, 'mixed'), text(4, 'ReduceMax')])],
    [
      'where the first is not changed',
      block(1, [
        text(1, 'tokens'),
        text(1, 'axis'),
        text(2, 'mixed'),
        text(4, 'CumSum'),
        block(5, [text(1, 'exclusive'), number(3, 1), number(20, 2)]),
      ]),
    ],
  ])('runs each alone, also %s', async (_, node) => {
    const folder = await copies.copy('bert-max', { 'onnx/model.onnx': mixing(node) });
    const { info, alone, batch } = await probe.open(folder, {}, ['a', 'one more text, of some length']);
    expect(info.batchable).toBe(false);
    expect(batch).toEqual(alone);
  });
});

describe('a graph that draws random numbers', () => {
  it('is refused: no vector would be that of its text', async () => {
    const tokens = ['batch', 'length'];
    const graph = modelFile([
      block(1, [text(1, 'table'), text(1, 'input_ids'), text(2, 'tokens'), text(4, 'Gather')]),
      block(1, [text(1, 'tokens'), text(2, 'last_hidden_state'), text(4, 'RandomNormalLike')]),
      text(2, 'random'),
      initializer('table', [300, 1], new Float32Array(300)),
      ...['input_ids', 'attention_mask'].map((name) => port(11, name, INT64, tokens)),
      port(12, 'last_hidden_state', FLOAT, [...tokens, 1]),
    ]);
    const folder = await copies.copy('bert-max', { 'onnx/model.onnx': graph });
    await expect(probe.open(folder)).rejects.toThrow(/another vector each time.*random numbers/);
  });
});

describe('a graph that looks at no text', () => {
  it.each([
    ['zeros for every text', 0],
    ['unlike texts the same vector', 3],
  ])('is refused, as it gives %s', async (what, value) => {
    const tokens = ['batch', 'length'];
    const graph = modelFile([
      block(1, [text(1, 'table'), text(1, 'input_ids'), text(2, 'last_hidden_state'), text(4, 'Gather')]),
      text(2, 'alike'),
      initializer('table', [300, 1], new Float32Array(300).fill(value)),
      ...['input_ids', 'attention_mask'].map((name) => port(11, name, INT64, tokens)),
      port(12, 'last_hidden_state', FLOAT, [...tokens, 1]),
    ]);
    const folder = await copies.copy('bert-max', { 'onnx/model.onnx': graph });
    await expect(probe.open(folder)).rejects.toThrow(`the graph gives ${what}: `);
  });
});

describe('a graph whose vectors stand in another order', () => {
  it('is refused with its output and what that looks like', async () => {
    const tokens = ['batch', 'length'];
    const graph = modelFile([
      block(1, [text(1, 'table'), text(1, 'input_ids'), text(2, 'tokens'), text(4, 'Gather')]),
      block(1, [text(1, 'tokens'), text(2, 'last_hidden_state'), text(4, 'Transpose')]),
      text(2, 'turned'),
      initializer('table', [300, 2], new Float32Array(600)),
      ...['input_ids', 'attention_mask'].map((name) => port(11, name, INT64, tokens)),
      port(12, 'last_hidden_state', FLOAT, [2, 'length', 'batch']),
    ]);
    const folder = await copies.copy('bert-max', { 'onnx/model.onnx': graph });
    await expect(probe.open(folder)).rejects.toThrow(
      /^the output "last_hidden_state" of the graph has the shape \[2, 3, 1\] for 1 x 3 tokens/,
    );
  });
});

describe('a mask of padding', () => {
  it('is not taken for an attention mask, which may be its opposite', async () => {
    const graph = await readFile(join(REFERENCE_MODELS, 'bert-mean/onnx/model.onnx'), 'latin1');
    const renamed = Buffer.from(graph.replaceAll('attention_mask', 'padding_mask_1'), 'latin1');
    const folder = await copies.copy('bert-mean', { 'onnx/model.onnx': renamed });
    await expect(probe.open(folder)).rejects.toThrow(
      /input "padding_mask_1", which nothing feeds.*an attention_mask is 1 for a token/,
    );
    const { info } = await probe.open(folder, { graph: { inputs: ['attention_mask=padding_mask_1'] } });
    expect(info.batchable).toBe(true);
  });
});

describe('an input that takes the same for every text', () => {
  /** Vectors that are the wider the higher the number of a task is. */
  const graph = (shape: readonly (string | number)[]) => {
    const tokens = ['batch', 'length'];
    return modelFile([
      block(1, [text(1, 'table'), text(1, 'input_ids'), text(2, 'vectors'), text(4, 'Gather')]),
      block(1, [
        text(1, 'task_id'),
        text(2, 'task'),
        text(4, 'Cast'),
        block(5, [text(1, 'to'), number(3, FLOAT), number(20, 2)]),
      ]),
      // Of a scalar, or of one for each text, one for each token of each text.
      ...(shape.length === 2
        ? [
            block(1, [text(1, 'task'), text(1, 'last'), text(2, 'factor'), text(4, 'Unsqueeze')]),
            initializer('last', [1], BigInt64Array.of(-1n)),
          ]
        : [block(1, [text(1, 'task'), text(2, 'factor'), text(4, 'Identity')])]),
      block(1, [text(1, 'vectors'), text(1, 'factor'), text(2, 'text_embeds'), text(4, 'Mul')]),
      text(2, 'tasks'),
      initializer(
        'table',
        [300, 1],
        Float32Array.from({ length: 300 }, (_, id) => id),
      ),
      ...['input_ids', 'attention_mask'].map((name) => port(11, name, INT64, tokens)),
      port(11, 'task_id', INT64, shape),
      port(12, 'text_embeds', FLOAT, [...tokens, 1]),
    ]);
  };

  it.each([
    ['a scalar', []],
    ['one', [1]],
    ['one for each token', ['batch', 'length']],
  ])('is fed the number that the configuration says: %s', async (_, shape) => {
    const folder = await copies.copy('bert-max', {
      'onnx/model.onnx': graph(shape),
      'modules.json': [
        { path: '', type: 'custom_st.Transformer' },
        { path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
      ],
    });
    const open = (inputs?: readonly string[]) =>
      probe.open(folder, { backend: 'onnx', graph: { inputs, normalize: false } }, ['hello', 'a b c']);
    await expect(open()).rejects.toThrow(/input "task_id", which nothing feeds.*as in 4=NAME/);
    await expect(open(['4=task'])).rejects.toThrow('cannot be fed as "4=task" says');
    const [one, four] = [await open(['1=task_id']), await open(['4=task_id'])];
    expect(four.info.batchable).toBe(true);
    expect(four.batch).toEqual(one.batch.map((vector) => vector.map((value) => 4 * value)));
    expect(four.alone).toEqual(four.batch);
  });
});

describe('a folder without a graph or a tokenizer', () => {
  it.each([
    ['model.safetensors'],
    ['pytorch_model.bin'],
    ['openvino/openvino_model.xml'],
    ['adapter_config.json'],
    ['model-q8_0.gguf'],
  ])('is refused with the command that makes a graph: %s', async (file) => {
    const folder = await copies.copy('bert-mean', { onnx: null, [file]: {} });
    await expect(probe.open(folder)).rejects.toThrow(/onnx\/model\.onnx is missing.*optimum-cli export onnx/);
  });

  it('is refused with the call that makes a tokenizer.json', async () => {
    const folder = await copies.copy('bert-mean', { 'tokenizer.json': null, 'vocab.txt': Buffer.from('a') });
    await expect(probe.open(folder)).rejects.toThrow(/tokenizer\.json is missing.*vocab\.txt.*AutoTokenizer/);
  });
});
