import { readdirSync, readFileSync } from 'node:fs';
import { readFile, symlink, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ModelCopies, REFERENCE_STATICS } from '../../fixture/model-copies.ts';
import { ModelProbe } from '../../fixture/model-probe.ts';
import { LocalEmbeddingModel } from '../local-embedding-model.ts';

interface ReferenceRow {
  readonly text: string;
  readonly ids: readonly number[];
  readonly vector: readonly number[];
}

/** Made by tools/reference-models: what sentence-transformers gives, and what Model2Vec's algorithm gives. */
const rowsOf = (name: string) =>
  JSON.parse(readFileSync(join(REFERENCE_STATICS, name, 'ref.json'), 'utf8')) as readonly ReferenceRow[];
const NAMES = readdirSync(REFERENCE_STATICS);
const BY_MODEL2VEC = NAMES.filter((name) => name.startsWith('model2vec'));
const BY_SENTENCE_TRANSFORMERS = NAMES.filter((name) => !BY_MODEL2VEC.includes(name));
const FORMATS: Readonly<Record<string, string>> = {
  half: 'fp16',
  bfloat: 'bf16',
  double: 'fp64',
  'model2vec-int8': 'int8',
  'model2vec-mapping': 'fp16',
};
const CUT = 12;

const probe = new ModelProbe();
let copies: ModelCopies;
beforeAll(async () => {
  copies = await ModelCopies.make(REFERENCE_STATICS);
});
afterAll(async () => {
  await probe.stop();
  await copies.remove();
});

async function expectReference(name: string, backend: string, maxTokens: number): Promise<void> {
  const rows = rowsOf(name);
  const texts = rows.map(({ text }) => text);
  const { info, ids, ...vectors } = await probe.open(join(REFERENCE_STATICS, name), {}, texts);
  expect(info).toMatchObject({
    backend,
    maxTokens,
    device: 'cpu',
    dtype: FORMATS[name] ?? 'fp32',
    pooling: 'mean',
    batchable: true,
    limitMeasured: true,
    notes: [],
  });
  rows.forEach(({ ids: wantedIds, vector }, row) => {
    expect(ids[row]).toEqual(wantedIds);
    for (const given of [vectors.alone, vectors.batch, vectors.backwards]) {
      expect(given[row]).toHaveLength(vector.length);
      vector.forEach((value, index) =>
        expect(Math.abs(value - (given[row]?.[index] ?? NaN))).toBeLessThan(1e-5),
      );
    }
  });
}

describe('a static model gives the tokens and vectors of its library, alone and in any batch', () => {
  it.each(BY_SENTENCE_TRANSFORMERS)('%s of sentence-transformers', async (name) => {
    await expectReference(name, 'sentence-transformers', name.startsWith('cut-') ? CUT : 8_192);
  });

  it.each(BY_MODEL2VEC)('%s of Model2Vec', async (name) => {
    await expectReference(name, 'model2vec', 512);
  });
});

describe('a static model', () => {
  it('reads more of a text, or less, where the configuration says so, but never more than its tokenizer', async () => {
    const text = 'a '.repeat(9_000);
    const open = async (name: string, maxTokens?: number) =>
      (await probe.open(join(REFERENCE_STATICS, name), { maxTokens }, [text])).ids[0]?.length;
    expect(await open('mean')).toBe(8_192);
    expect(await open('mean', 20_000)).toBe(9_000);
    expect(await open('model2vec', 100)).toBe(100);
    expect(await open('model2vec', 1_000)).toBe(1_000);
    expect(await open('cut-right', 20_000)).toBe(CUT);
  });

  it('is read by Model2Vec where the configuration says so: without tokens that it does not know', async () => {
    const folder = join(REFERENCE_STATICS, 'of-model2vec');
    const texts = ['a 한 b', 'a b'];
    const own = await probe.open(folder, { backend: 'model2vec' }, texts);
    expect(own.ids[0]).toEqual(own.ids[1]);
    expect(own.batch[0]).toEqual(own.batch[1]);
    const other = await probe.open(folder, {}, texts);
    expect(other.ids[0]).not.toEqual(other.ids[1]);
  });

  it('needs no other file than its tokenizer and its table, whatever else lies there', async () => {
    const folder = await copies.copy('mean', {
      'config.json': { model_type: 'bert', max_position_embeddings: 4, vocab_size: 7 },
      'tokenizer_config.json': {
        tokenizer_class: 'BertTokenizer',
        do_lower_case: false,
        model_max_length: 3,
      },
      'onnx/model.onnx': Buffer.from('no graph'),
    });
    const [{ text, ids, vector }] = rowsOf('mean') as [ReferenceRow];
    const opened = await probe.open(folder, {}, [text]);
    expect(opened.ids[0]).toEqual(ids);
    expect(opened.info).toMatchObject({ maxTokens: 8_192, vocabularySize: 260, weightsBytes: 8_408 });
    expect(opened.alone[0]?.[0]).toBeCloseTo(vector[0] as number, 5);
  });

  it('is opened behind the links of the cache of the hub', async () => {
    const folder = await copies.copy('mean');
    await mkdir(join(folder, 'blobs'));
    await rename(join(folder, 'model.safetensors'), join(folder, 'blobs/0123'));
    await symlink('blobs/0123', join(folder, 'model.safetensors'));
    const [{ text, vector }] = rowsOf('mean') as [ReferenceRow];
    const { alone } = await probe.open(folder, {}, [text]);
    expect(alone[0]?.[0]).toBeCloseTo(vector[0] as number, 5);
  });

  it('says which token has a value that is no number, and serves all others', async () => {
    const name = 'mean';
    const table = await readFile(join(REFERENCE_STATICS, name, 'model.safetensors'));
    const { text, ids } = rowsOf(name)[2] as ReferenceRow;
    table.writeFloatLE(NaN, table.length - 260 * 32 + (ids[0] as number) * 32);
    const folder = await copies.copy(name, { 'model.safetensors': table });
    const { faults } = await probe.open(folder, {}, [text, 'hello']);
    expect(faults).toEqual([
      { row: 0, reason: 'value 0 of the vector is NaN; the graph gave it so, first at token 0' },
    ]);
  });

  it('has another digest with another table', async () => {
    const table = await readFile(join(REFERENCE_STATICS, 'mean', 'model.safetensors'));
    table.writeFloatLE(0.5, table.length - 4);
    const changed = await probe.open(await copies.copy('mean', { 'model.safetensors': table }));
    const { info } = await probe.open(join(REFERENCE_STATICS, 'mean'));
    expect(changed.info.digest).not.toBe(info.digest);
  });
});

describe('a static model in processes of its own', () => {
  it('gives vectors, counts and tokens of what it has read, and refuses a text of which it knows nothing', async () => {
    await using model = new LocalEmbeddingModel({
      config: { model: join(REFERENCE_STATICS, 'model2vec-weights'), workers: 1 },
    });
    await model.load();
    const rows = rowsOf('model2vec-weights');
    const items = await model.embed(rows.map(({ text }) => text));
    rows.forEach(({ ids, vector }, row) => {
      const { vector: given, tokenCount, truncated } = items[row] ?? {};
      expect(tokenCount).toBe(ids.length);
      expect(truncated).toBe(ids.length === 512);
      vector.forEach((value, index) => expect(given?.[index]).toBeCloseTo(value, 5));
    });
    await expect(model.embed(['a', '한국어'])).rejects.toMatchObject({
      code: 'invalid_value',
      param: 'input[1]',
      message: 'The input has no tokens for this model.',
    });
    const [tokens] = await model.listTokens(['a 한 b']);
    expect(tokens?.map(({ text }) => text)).toEqual(['a', 'b']);
    // The vector of a token, times its weight, is that of a text of it alone, but for its length.
    const [[item], [one]] = [await model.embedTokens(['a b']), await model.embed(['a'])];
    const first = [...(item?.vector.subarray(0, 8) ?? [])];
    const length = Math.hypot(...first);
    first.forEach((value, index) => expect(one?.vector[index]).toBeCloseTo(value / length, 5));
  });
});

/** A file of safetensors with this header, and so many bytes behind it. */
function safetensors(header: unknown, bytes = 0): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(bytes)]);
}

const tensor = (dtype: string, shape: readonly number[], start: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [start, end],
});
const table = tensor('F32', [260, 8], 0, 8_320);

describe('what is not understood of a static model stops the load with its name', () => {
  const TABLE = 'model.safetensors';
  const huge = Buffer.alloc(16);
  huge.writeBigUInt64LE(1n << 40n);

  it.each<[string, string, Readonly<Record<string, unknown>>, RegExp]>([
    ['no table', 'mean', { [TABLE]: null }, /model\.safetensors is missing/],
    ['a pickle', 'mean', { [TABLE]: null, 'pytorch_model.bin': {} }, /pytorch_model\.bin is a pickle/],
    ['no tokenizer', 'mean', { 'tokenizer.json': null }, /tokenizer\.json is missing/],
    [
      'a pointer of Git LFS',
      'mean',
      { [TABLE]: Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 90\n') },
      /model\.safetensors is a pointer of Git LFS/,
    ],
    ['an empty table', 'mean', { [TABLE]: Buffer.alloc(0) }, /its header has 0 bytes, where the file has 0/],
    [
      'a header above the limit',
      'mean',
      { [TABLE]: huge },
      /its header has 1099511627776 bytes, where the file has 16 and 16777216 are the most/,
    ],
    ['a header that is no JSON', 'mean', { [TABLE]: safetensors('{') }, /its header is not understood/],
    ['a header of another kind', 'mean', { [TABLE]: safetensors(null) }, /its header is not understood/],
    [
      'a tensor behind the end of the file',
      'mean',
      { [TABLE]: safetensors({ 'embedding.weight': table }, 8_319) },
      /embedding\.weight ends at byte \d+, and the file at \d+/,
    ],
    [
      'offsets that do not fit the shape',
      'mean',
      { [TABLE]: safetensors({ embeddings: tensor('F32', [260, 8], 0, 8_319) }, 8_320) },
      /embeddings is \[260, 8\] of F32, and its data_offsets are 0 and 8319/,
    ],
    [
      'other tensors',
      'mean',
      { [TABLE]: safetensors({ '0': table }, 8_320) },
      /has no embedding\.weight or embeddings, only: 0/,
    ],
    [
      'another number format',
      'mean',
      { [TABLE]: safetensors({ 'embedding.weight': tensor('F8_E4M3', [260, 8], 0, 2_080) }, 2_080) },
      /number format F8_E4M3; F64, F32, F16, BF16, I8 are understood/,
    ],
    [
      'another shape',
      'mean',
      { [TABLE]: safetensors({ 'embedding.weight': tensor('F32', [260, 4, 2], 0, 8_320) }, 8_320) },
      /embedding\.weight is \[260, 4, 2\] and should be \[tokens, dimensions\]/,
    ],
    [
      'fewer vectors than tokens',
      'mean',
      { [TABLE]: safetensors({ 'embedding.weight': tensor('F32', [130, 16], 0, 8_320) }, 8_320) },
      /vectors of 130 tokens, and tokenizer\.json has 260/,
    ],
    [
      'fewer weights than tokens',
      'mean',
      { [TABLE]: safetensors({ embeddings: table, weights: tensor('F32', [2], 8_320, 8_328) }, 8_328) },
      /weights is \[2\] and should be \[260\]/,
    ],
    [
      'a mapping to a row that is not there',
      'mean',
      {
        [TABLE]: safetensors(
          { mapping: tensor('I32', [260], 0, 1_040), embeddings: tensor('F32', [0, 8], 1_040, 1_040) },
          1_040,
        ),
      },
      /embeddings is \[0, 8\]/,
    ],
    [
      'a mapping of other numbers',
      'mean',
      {
        [TABLE]: safetensors({ embeddings: table, mapping: tensor('F32', [260], 8_320, 9_360) }, 9_360),
      },
      /mapping has the number format F32; I32 and I64 are understood/,
    ],
    [
      'a Pooling behind it',
      'mean',
      {
        'modules.json': [
          { path: '', type: 'sentence_transformers.models.StaticEmbedding' },
          { path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
        ],
        '1_Pooling/config.json': { word_embedding_dimension: 8 },
      },
      /second Pooling/,
    ],
    [
      'a module that Model2Vec would leave out',
      'modules',
      {
        'config.json': { model_type: 'model2vec' },
        [TABLE]: safetensors({ embeddings: table, weights: tensor('F32', [260], 0, 1_040) }, 8_320),
      },
      /Dense, which the backend model2vec would leave out/,
    ],
  ])('%s', async (_, name, files, message) => {
    await expect(probe.open(await copies.copy(name, files))).rejects.toThrow(message);
  });

  it('a mapping that names a row that is not there', async () => {
    const content = await readFile(join(REFERENCE_STATICS, 'model2vec-mapping-int32', TABLE));
    const headerBytes = Number(content.readBigUInt64LE());
    const header = JSON.parse(content.toString('utf8', 8, 8 + headerBytes)) as {
      readonly mapping: { readonly data_offsets: readonly [number, number] };
    };
    content.writeInt32LE(40, 8 + headerBytes + header.mapping.data_offsets[0]);
    const folder = await copies.copy('model2vec-mapping-int32', { [TABLE]: content });
    await expect(probe.open(folder)).rejects.toThrow('mapping names row 40 of 40');
  });

  it.each(['model2vec-weights', 'model2vec-mapping-int32', 'model2vec-int8'])(
    '%s, of which sentence-transformers would make other vectors',
    async (name) => {
      const opening = probe.open(join(REFERENCE_STATICS, name), { backend: 'sentence-transformers' });
      await expect(opening).rejects.toThrow('choose the backend model2vec');
    },
  );

  it.each([
    ['EMBEDDING_GRAPH_FILE', { graph: { file: 'onnx/model.onnx' } }],
    ['EMBEDDING_GRAPH_OUTPUT', { graph: { output: 'token_embeddings' } }],
    ['EMBEDDING_DEVICE', { device: 'cuda' }],
    ['EMBEDDING_POOLING', { graph: { pooling: ['cls'] } }],
    ['EMBEDDING_DTYPE', { dtype: 'fp16' }],
  ] as const)('%s, which changes nothing', async (setting, options) => {
    await expect(probe.open(join(REFERENCE_STATICS, 'mean'), options)).rejects.toThrow(setting);
    await expect(probe.open(join(REFERENCE_STATICS, 'model2vec'), options)).rejects.toThrow(setting);
  });
});
