import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writeTinyBert } from '../fixture/tiny-bert.ts';
import { digestModel, missingFile, modelFolder, readSentenceSettings } from './model-files.ts';

let root: string;
let made = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'morgan-files-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function folder(extra: Readonly<Record<string, unknown>> = {}) {
  made += 1;
  const path = join(root, String(made));
  await writeTinyBert(path, extra);
  return path;
}

const STEPS = (...names: string[]) => names.map((name) => ({ type: `sentence_transformers.models.${name}` }));

describe('readSentenceSettings', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['nothing', {}, { pooling: 'mean', normalise: true, maxTokens: undefined }],
    ['mean', { '1_Pooling/config.json': { pooling_mode_mean_tokens: true } }, { pooling: 'mean' }],
    ['cls', { '1_Pooling/config.json': { pooling_mode_cls_token: true } }, { pooling: 'cls' }],
    ['last token', { '1_Pooling/config.json': { pooling_mode_lasttoken: true } }, { pooling: 'lasttoken' }],
    ['max', { '1_Pooling/config.json': { pooling_mode_max_tokens: true } }, { pooling: 'max' }],
    ['Normalize', { 'modules.json': STEPS('Transformer', 'Pooling', 'Normalize') }, { normalise: true }],
    ['no Normalize', { 'modules.json': STEPS('Transformer', 'Pooling') }, { normalise: false }],
    ['a length', { 'sentence_bert_config.json': { max_seq_length: 256 } }, { maxTokens: 256 }],
    ['no length', { 'sentence_bert_config.json': { max_seq_length: null } }, { maxTokens: undefined }],
  ])('a folder that says %s', async (_, files, expected) => {
    expect(await readSentenceSettings(await folder(files))).toMatchObject(expected);
  });
});

describe('digestModel', () => {
  const digest = (path: string, dtype = 'fp32') => digestModel(path, dtype);

  it('is the same for the same files, wherever they are', async () => {
    expect(await digest(await folder())).toBe(await digest(await folder()));
  });

  it.each([
    'config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'modules.json',
    '1_Pooling/config.json',
    'sentence_bert_config.json',
    'onnx/model.onnx',
    'onnx/model.onnx_data',
  ])('changes with %s', async (file) => {
    const [plain, changed] = [await folder(), await folder({ [file]: { changed: true } })];
    expect(await digest(changed)).not.toBe(await digest(plain));
  });

  it('does not change with weights of another number format, or with files that are not read', async () => {
    const more = await folder({ 'onnx/model_quantized.onnx': {}, 'README.md': {} });
    expect(await digest(more)).toBe(await digest(await folder()));
    expect(await digest(more, 'q8')).not.toBe(await digest(more));
  });
});

describe('missingFile', () => {
  it('names what a model needs and does not have', async () => {
    const path = await folder({ 'onnx/model_quantized.onnx': {} });
    expect(missingFile(path, 'fp32')).toBeUndefined();
    expect(missingFile(path, 'q8')).toBeUndefined();
    expect(missingFile(path, 'q4')).toBe('onnx/model_q4.onnx');
    await rm(join(path, 'tokenizer.json'));
    expect(missingFile(path, 'fp32')).toBe('tokenizer.json');
  });
});

describe('modelFolder', () => {
  const hub = { kind: 'hub', id: 'a/b', cacheDir: '/models', hubUrl: 'https://hub.example' } as const;

  it('keeps revisions apart, and inside the cache folder', () => {
    expect(modelFolder({ ...hub, revision: 'main' })).toBe('/models/a/b');
    expect(modelFolder({ ...hub, revision: 'refs/pr/1' })).toBe('/models/refs%2Fpr%2F1/a/b');
  });
});
