import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { FLOAT, port } from '../fixture/onnx-graph.ts';
import { block, text } from '../fixture/protobuf.ts';
import { LocalEmbeddingModel } from './local-embedding-model.ts';
import { ModelFolder } from './model/model-folder.ts';
import { PairTokenizer } from './model/tokenizer/pair-tokenizer.ts';
import { readRankingPlan } from './model/plan/ranking-plan.reader.ts';
import { TokenizerRole } from './processes/tokenizer-role.ts';

interface ReferenceRow {
  readonly query: string;
  readonly text: string;
  readonly ids: readonly number[];
  readonly raw: number;
}

/** Made by tools/reference-models: what sentence-transformers itself gives. */
const FOLDERS = join(import.meta.dirname, '../fixture/reference-rankers');
const EMBEDDING = join(import.meta.dirname, '../fixture/reference-models/bert-mean');
const LIMIT = 32;
const rowsOf = (name: string) =>
  JSON.parse(readFileSync(join(FOLDERS, name, 'ref.json'), 'utf8')) as readonly ReferenceRow[];

async function open(folder: string, config: object = {}) {
  const model = new LocalEmbeddingModel({ config: { model: folder, workers: 1, ...config } });
  try {
    await model.load();
  } catch (error) {
    await model.unload();
    throw error;
  }
  return Object.assign(model, { [Symbol.asyncDispose]: () => model.unload() });
}

describe('a cross-encoder of sentence-transformers', () => {
  it.each([
    'bert',
    'bert-cut-left',
    'bert-untold',
    'deberta-v2-class',
    'distilbert-class',
    'modernbert-modules',
    'roberta-class',
    'xlm-roberta',
  ])('%s gives the scores of the library, alone and in a batch, cut or not', async (name) => {
    await using model = await open(join(FOLDERS, name));
    expect(model.getInfo()).toMatchObject({ backend: 'cross-encoder', maxTokens: LIMIT, dimensions: 1 });
    expect(await model.kind()).toBe('ranking');
    const rows = rowsOf(name);
    for (const { query, text, ids, raw } of rows) {
      const [item] = await model.score(query, [text]);
      expect(item?.score).toBeCloseTo(raw, 5);
      expect(item?.tokenCount).toBe(ids.length);
      // The longest pairs fill the limit, and nothing else does.
      expect(item?.truncated).toBe(ids.length === LIMIT);
    }
    const [{ query }] = rows as [ReferenceRow];
    const alike = rows.filter((row) => row.query === query);
    const items = await model.score(
      query,
      alike.map(({ text }) => text),
    );
    items.forEach(({ score }, index) => expect(score).toBeCloseTo(alike[index]?.raw ?? NaN, 5));
  });
});

describe('a cross-encoder', () => {
  let model: LocalEmbeddingModel;
  beforeAll(async () => {
    model = await open(join(FOLDERS, 'bert'));
  });
  afterAll(() => model.unload());

  it('reads megabytes of query and text at the cost of their beginning', async () => {
    const [query, text] = ['what is a fox '.repeat(300_000), 'the lazy dog '.repeat(300_000)];
    const [long] = await model.score(query, [text]);
    const [short] = await model.score(query.slice(0, 1_000), [text.slice(0, 1_000)]);
    expect(long).toEqual(short);
    expect(long).toMatchObject({ tokenCount: LIMIT, truncated: true });
  });

  it('tokenises a query once for all texts of a batch', async () => {
    const options = { backend: 'auto', device: 'cpu', dtype: 'auto', threads: 1 } as const;
    const role = await TokenizerRole.load({ folder: join(FOLDERS, 'bert'), model: options });
    const tokenize = jest.spyOn(PairTokenizer.prototype, 'tokenize');
    const query = { text: 'what is a fox', more: false };
    const texts = Array.from({ length: 9 }, (_, index) => ({ text: `text ${index}`, more: false, query }));
    const result = await role.perform({ type: 'tokenize', id: 1, texts, limit: LIMIT });
    expect('windows' in result && result.windows).toHaveLength(9);
    expect(tokenize).toHaveBeenCalledTimes(1 + 9);
    tokenize.mockRestore();
  });

  it('refuses what is too long where it may not cut, by its place', async () => {
    const refused = model.score('a fox', ['a', 'dog '.repeat(40)], undefined, {
      truncate: false,
      field: 'documents',
    });
    await expect(refused).rejects.toMatchObject({
      code: 'context_length_exceeded',
      param: 'documents[1]',
      message: expect.stringContaining(
        'The query and this text have more than 32 tokens',
      ) as unknown as string,
    });
  });

  it('names a query of which no tokens are found, and not the text behind it', async () => {
    const refused = model.score(' '.repeat(100_000), ['a dog', 'a cat'], undefined, { field: 'documents' });
    await expect(refused).rejects.toMatchObject({
      code: 'invalid_value',
      param: 'query',
      message: expect.stringContaining('The query of 100000 characters') as unknown as string,
    });
    const ofText = model.score('a fox', ['a dog', ' '.repeat(100_000)], undefined, { field: 'documents' });
    await expect(ofText).rejects.toMatchObject({
      param: 'documents[1]',
      message: expect.stringContaining('The input of 100000 characters') as unknown as string,
    });
  });

  it('may be loaded again after it was unloaded', async () => {
    const [before] = await model.score('a fox', ['a dog']);
    await model.unload();
    await expect(model.score('a fox', ['a dog'])).rejects.toMatchObject({ code: 'model_loading' });
    expect(await model.kind()).toBe('ranking');
    await model.load();
    expect(await model.score('a fox', ['a dog'])).toEqual([before]);
  });

  it('gives no embeddings, and an embedding model no scores', async () => {
    await expect(model.embed(['a'])).rejects.toMatchObject({ code: 'unsupported_by_model' });
    await using embedding = await open(EMBEDDING);
    expect(await embedding.kind()).toBe('embedding');
    await expect(embedding.score('a', ['b'])).rejects.toMatchObject({
      code: 'unsupported_by_model',
      message: expect.stringContaining('cross-encoder') as unknown as string,
    });
  });
});

describe('a folder of a cross-encoder that is not understood stops the load:', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'morgan-ranking-'));
    await cp(join(FOLDERS, 'bert'), folder, { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('several labels', async () => {
    await expect(open(join(FOLDERS, 'bert-three-labels'))).rejects.toThrow('gives 3 scores for a text');
  });

  it.each([
    ['config_sentence_transformers.json', { model_type: 'CrossEncoder', prompts: { q: 'x' } }, 'prompts'],
    ['config_sentence_transformers.json', { model_type: 'CrossEncoder', threshold: 1 }, 'threshold'],
    ['sentence_bert_config.json', { transformer_task: 'text-generation' }, 'text-generation'],
    [
      'modules.json',
      [{ path: '', type: 'sentence_transformers.cross_encoder.modules.logit_score.LogitScore' }],
      'LogitScore',
    ],
  ])('%s with %j', async (file, content, named) => {
    const path = join(folder, file);
    const before = readFileSync(path);
    await writeFile(path, JSON.stringify(content));
    await expect(readRankingPlan(new ModelFolder(folder))).rejects.toThrow(named);
    await writeFile(path, before);
  });

  const [transformer, pooling, dense, norm, scores] = JSON.parse(
    readFileSync(join(FOLDERS, 'modernbert-modules/modules.json'), 'utf8'),
  ) as readonly unknown[];
  it.each([
    ['modules.json', [transformer, pooling], 'the last module of a cross-encoder is a Pooling'],
    ['modules.json', [transformer, pooling, norm], 'the last module of a cross-encoder is a LayerNorm'],
    ['modules.json', [transformer, dense, scores], 'has no Pooling after the Transformer'],
    ['4_Dense/config.json', { in_features: 8, out_features: 1 }, 'module_output_name'],
    ['2_Dense/config.json', { in_features: 8, out_features: 8, module_output_name: 'scores' }, '2_Dense'],
    ['sentence_bert_config.json', { transformer_task: 'sequence-classification' }, 'transformer_task'],
  ])('%s with %j, where modules make the scores', async (file, content, named) => {
    const headed = await mkdtemp(join(tmpdir(), 'morgan-ranking-'));
    await cp(join(FOLDERS, 'modernbert-modules'), headed, { recursive: true });
    await writeFile(join(headed, file), JSON.stringify(content));
    await expect(readRankingPlan(new ModelFolder(headed))).rejects.toThrow(named);
    await rm(headed, { recursive: true });
  });

  it.each([
    ['chat_template.jinja', '{{ messages }}'],
    ['tokenizer_config.json', JSON.stringify({ chat_template: [{ name: 'rerank', template: '' }] })],
  ])('a template of a chat in %s, unless modules say that it is none for pairs', async (file, content) => {
    const untold = await mkdtemp(join(tmpdir(), 'morgan-ranking-'));
    await cp(join(FOLDERS, 'bert'), untold, { recursive: true });
    await writeFile(join(untold, file), content);
    await expect(readRankingPlan(new ModelFolder(untold))).resolves.toMatchObject({
      backend: 'cross-encoder',
    });
    await rm(join(untold, 'modules.json'));
    await rm(join(untold, 'config_sentence_transformers.json'));
    await expect(readRankingPlan(new ModelFolder(untold))).rejects.toThrow(`${file} has a chat template`);
    await rm(untold, { recursive: true });
  });
});

describe('a folder of a cross-encoder that is understood', () => {
  it('may have a graph that makes scores between 0 and 1: they are raw as all others are', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'morgan-ranking-'));
    await cp(join(FOLDERS, 'bert'), folder, { recursive: true });
    const file = join(folder, 'onnx/model.onnx');
    // What the graph gave is called otherwise, and the scores are made of it.
    const graph = (await readFile(file, 'latin1')).replaceAll('logits', 'before');
    const node = (input: string, output: string, operation: string) =>
      block(1, [text(1, input), text(2, output), text(4, operation)]);
    const added = [
      node('before', 'share', 'Sigmoid'),
      node('share', 'logits', 'Identity'),
      port(12, 'logits', FLOAT, ['batch', 1]),
    ];
    await writeFile(file, Buffer.concat([Buffer.from(graph, 'latin1'), block(7, added)]));
    await using model = await open(folder);
    for (const { query, text: of, raw } of rowsOf('bert')) {
      const [item] = await model.score(query, [of]);
      expect(item?.score).toBeCloseTo(raw, 5);
    }
    await rm(folder, { recursive: true });
  });

  it('has the limit of its network and tokenizer where no modules say whose settings lie there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'morgan-ranking-'));
    await cp(join(FOLDERS, 'bert'), folder, { recursive: true });
    await writeFile(join(folder, 'sentence_bert_config.json'), JSON.stringify({ max_seq_length: 16 }));
    await expect(readRankingPlan(new ModelFolder(folder))).resolves.toMatchObject({ maxTokens: 16 });
    for (const file of ['modules.json', 'config_sentence_transformers.json']) await rm(join(folder, file));
    await expect(readRankingPlan(new ModelFolder(folder))).resolves.not.toHaveProperty('maxTokens');
    await rm(folder, { recursive: true });
  });

  it('may say which packages it was made with', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'morgan-ranking-'));
    const settings = { model_type: 'CrossEncoder', requirements: { transformers: '>=5' } };
    await writeFile(join(folder, 'config_sentence_transformers.json'), JSON.stringify(settings));
    await expect(readRankingPlan(new ModelFolder(folder))).resolves.toMatchObject({ root: '' });
    await rm(folder, { recursive: true });
  });
});
