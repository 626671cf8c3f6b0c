import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig, type Logger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { z } from 'zod';
import { FLOAT, initializer, INT64, modelFile, port } from '../fixture/onnx-graph.ts';
import { block, text } from '../fixture/protobuf.ts';
import { TINY_MAX_TOKENS, tinyTokenVector, writeTinyBert } from '../fixture/tiny-bert.ts';
import { LocalEmbeddingModel } from './local-embedding-model.ts';
import { localEmbeddingsConfig } from './local-embeddings.config.ts';

const [CLS, SEP, RED, GREEN, BLUE] = [2, 3, 4, 5, 6];
const DEFAULTS = loadConfig(z.strictObject({ model: localEmbeddingsConfig }), { env: {} }).model;
const context = { id: 'test', signal: new AbortController().signal };

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'morgan-folders-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function load(
  name: string,
  extra: Readonly<Record<string, unknown>> = {},
  more: Partial<typeof DEFAULTS> = {},
) {
  const folder = join(root, name);
  await writeTinyBert(folder, extra);
  const lines: string[] = [];
  const write: Logger['info'] = (_, message) => lines.push(message);
  const logger: Logger = { debug: write, info: write, warn: write, error: write };
  const model = new LocalEmbeddingModel({
    config: { ...DEFAULTS, ...more, model: folder },
    bundledModelDir: root,
    logger,
    metrics: new Metrics(),
  });
  await model.load();
  return { model, lines };
}

function meanOf(...ids: number[]): number[] {
  const sum = ids
    .map(tinyTokenVector)
    .reduce((a, b) => a.map((value, index) => value + (b[index] as number)));
  return sum.map((value) => value / ids.length);
}

function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function expectVector(actual: Float32Array | undefined, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, index) => expect(actual?.[index]).toBeCloseTo(value, 5));
}

describe('a folder with token vectors and nothing said about pooling', () => {
  let model: LocalEmbeddingModel;
  let lines: string[];
  beforeAll(async () => ({ model, lines } = await load('tiny-bert')));
  afterAll(() => model.unload());

  it('is served under its name, with the limits of its configuration', () => {
    expect(model.getInfo()).toMatchObject({
      id: 'tiny-bert',
      dimensions: 4,
      maxTokens: TINY_MAX_TOKENS,
      vocabularySize: 9,
      pooling: 'mean',
    });
  });

  it('is pooled by mean over the real tokens only, and normalised', async () => {
    const [short, long] = await model.embed(['red', 'blue green red blue'], context);
    expectVector(short?.vector, unit(meanOf(CLS, RED, SEP)));
    expectVector(long?.vector, unit(meanOf(CLS, BLUE, GREEN, RED, BLUE, SEP)));
    expect([short?.tokenCount, long?.tokenCount]).toEqual([3, 6]);
  });

  it('keeps the special tokens of a text that is cut', async () => {
    const [item] = await model.embed(['red red red red red green blue blue blue'], context);
    expect(item).toMatchObject({ tokenCount: TINY_MAX_TOKENS, truncated: true });
    expectVector(item?.vector, unit(meanOf(CLS, RED, RED, RED, RED, RED, GREEN, SEP)));
  });

  it('feeds token ids as they are, and cuts them without putting special tokens in', async () => {
    const ids = [RED, RED, RED, GREEN, GREEN, GREEN, BLUE, BLUE];
    const [fits, cut] = await model.embed([ids, [...ids, CLS, CLS]], context);
    expect([fits?.truncated, cut?.truncated]).toEqual([false, true]);
    expectVector(fits?.vector, unit(meanOf(...ids)));
    expectVector(cut?.vector, unit(meanOf(...ids)));
  });

  it('gives finite numbers for a list without any token', async () => {
    const [item] = await model.embed([[]], context);
    expect(item?.vector.every(Number.isFinite)).toBe(true);
  });

  it('says nothing of a download, and what had to be guessed', () => {
    expect(lines).toEqual([
      'embedding model loaded',
      'nothing in the folder says how token vectors become one; "mean" is used',
    ]);
  });
});

describe('a folder of sentence-transformers', () => {
  it('is pooled and cut as it says, and not normalised when it has no such step', async () => {
    const { model } = await load('tiny-cls', {
      'modules.json': [
        { idx: 0, path: '', type: 'sentence_transformers.models.Transformer' },
        { idx: 1, path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
      ],
      '1_Pooling/config.json': { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false },
      'sentence_bert_config.json': { max_seq_length: 5 },
    });
    try {
      const [item] = await model.embed(['blue blue blue blue'], context);
      expect(model.getInfo()).toMatchObject({ pooling: 'cls', maxTokens: 5 });
      expect(item).toMatchObject({ tokenCount: 5, truncated: true });
      expectVector(item?.vector, tinyTokenVector(CLS));
    } finally {
      await model.unload();
    }
  });
});

/** Two look-ups, with an output each. */
function graphWithTwoOutputs(): Buffer {
  const tokens = ['batch', 'length'];
  const lookUp = (output: string, scale: number) => [
    block(1, [text(1, `table_${output}`), text(1, 'input_ids'), text(2, output), text(4, 'Gather')]),
    initializer(
      `table_${output}`,
      [9, 2],
      Float32Array.from({ length: 18 }, (_, index) => 1 + index * scale),
    ),
    port(12, output, FLOAT, [...tokens, 2]),
  ];
  const given = port(11, 'input_ids', INT64, tokens);
  return modelFile([...lookUp('first', 1), ...lookUp('second', -1), text(2, 'two'), given]);
}

describe('the fingerprint', () => {
  it('differs between outputs of one graph, and is the same for the same one', async () => {
    const files = { 'onnx/model.onnx': graphWithTwoOutputs() };
    const loaded = ['first', 'second', 'first'].map((graphOutput) =>
      load('two-outputs', files, { graphOutput }),
    );
    const models = (await Promise.all(loaded)).map(({ model }) => model);
    const [first, second, again] = models.map((model) => model.fingerprint());
    await Promise.all(models.map((model) => model.unload()));
    expect(second).not.toBe(first);
    expect(again).toBe(first);
  });

  it('differs between models that share name, size and limits', async () => {
    const one = await load('a/same-name');
    const other = await load('b/same-name', {
      'config.json': {
        model_type: 'bert',
        hidden_size: 4,
        max_position_embeddings: TINY_MAX_TOKENS,
        vocab_size: 9,
        comment: 'trained a little longer',
      },
    });
    try {
      expect(one.model.id).toBe(other.model.id);
      expect(one.model.fingerprint()).not.toBe(other.model.fingerprint());
    } finally {
      await Promise.all([one.model.unload(), other.model.unload()]);
    }
  });
});
