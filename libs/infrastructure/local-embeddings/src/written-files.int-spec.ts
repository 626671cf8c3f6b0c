import { appendFile, cp, mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig, type Logger, silentLogger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { z } from 'zod';
import { LocalEmbeddingModel } from './local-embedding-model.ts';
import { localEmbeddingsConfig } from './local-embeddings.config.ts';

const REFERENCE = join(import.meta.dirname, '../fixture/reference-models/bert-external-data');
const DATA = 'onnx/weights.bin';
const DEFAULTS = loadConfig(z.strictObject({ model: localEmbeddingsConfig }), { env: {} }).model;

describe('a file of weights that is written to while its model is served', () => {
  let folder: string;
  let model: LocalEmbeddingModel;
  const errors: unknown[] = [];
  const error: Logger['error'] = (fields) => errors.push((fields as { error: unknown }).error);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'morgan-written-'));
    await cp(REFERENCE, folder, { recursive: true });
    model = new LocalEmbeddingModel({
      config: { ...DEFAULTS, model: folder, workers: 1, threads: 1 },
      bundledModelDir: folder,
      logger: { ...silentLogger, error },
      metrics: new Metrics(),
    });
    await model.load();
  });
  afterAll(async () => {
    await model.unload();
    await rm(folder, { recursive: true });
  });

  it('has another process look at it, which serves on where nothing has changed in it', async () => {
    const [before] = await model.embed(['a cat']);
    await utimes(join(folder, DATA), new Date(), new Date(0));
    const [after] = await model.embed(['a cat']);
    expect(after?.vector).toEqual(before?.vector);
    expect(errors).toEqual([
      expect.objectContaining({
        message: 'the model process ended: weights.bin was written to while it is in use',
      }),
    ]);
  });

  it('gives no vector any more where something has', async () => {
    await appendFile(join(folder, DATA), ' ');
    await expect(model.embed(['a cat'])).rejects.toMatchObject({ code: 'model_loading' });
    await expect(model.embed(['a cat'])).rejects.toMatchObject({ code: 'model_loading' });
  });
});
