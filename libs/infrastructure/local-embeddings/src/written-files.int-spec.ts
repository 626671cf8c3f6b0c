import { appendFile, cp, mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { loadConfig, type Logger, silentLogger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { waitFor } from '@morgan/testing';
import { z } from 'zod';
import { writeAttentionBert } from '../fixture/attention-bert.ts';
import { REFERENCE_STATICS } from '../fixture/model-copies.ts';
import { LocalEmbeddingModel } from './local-embedding-model.ts';
import { localEmbeddingsConfig } from './local-embeddings.config.ts';

const REFERENCE = join(import.meta.dirname, '../fixture/reference-models/bert-external-data');
const DATA = 'onnx/weights.bin';
const DEFAULTS = loadConfig(z.strictObject({ model: localEmbeddingsConfig }), { env: {} }).model;

const errors: unknown[] = [];
const error: Logger['error'] = (fields) => errors.push((fields as { error: unknown }).error);
let folder: string;
let model: LocalEmbeddingModel;

const copyReference = (to: string) => cp(REFERENCE, to, { recursive: true });
const copyStatic = (to: string) => cp(join(REFERENCE_STATICS, 'mean'), to, { recursive: true });

async function load(
  workers: number,
  write: (folder: string) => Promise<void> = copyReference,
): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'morgan-written-'));
  await write(folder);
  model = new LocalEmbeddingModel({
    config: { ...DEFAULTS, model: folder, workers, threads: 1 },
    bundledModelDir: folder,
    logger: { ...silentLogger, error },
    metrics: new Metrics(),
  });
  await model.load();
}

const all = (workers: number) =>
  waitFor(() => model.getStatus().workersAlive === workers, { what: 'all processes', timeoutMs: 20_000 });
const touch = (file = DATA) => utimes(join(folder, file), new Date(), new Date(0));

afterEach(async () => {
  errors.length = 0;
  await model.unload();
  await rm(folder, { recursive: true });
});

describe('a file of weights that is written to while its model is served', () => {
  it.each([
    ['of data beside a graph', DATA, copyReference],
    ['of a graph whose attention is run in blocks', 'onnx/model.onnx', writeAttentionBert],
    ['of the table of a static model', 'model.safetensors', copyStatic],
  ] as const)(
    'has another process look at it, which serves on if nothing has changed: %s',
    async (_, file, write) => {
      await load(1, (to) => write(to));
      const [before] = await model.embed(['a cat']);
      await touch(file);
      const [after] = await model.embed(['a cat']);
      expect(after?.vector).toEqual(before?.vector);
      expect(errors).toEqual([
        expect.objectContaining({
          message: `the model process ended: ${basename(file)} was written to while it is in use`,
        }),
      ]);
    },
  );

  it('is not held against an input that meets it in one process after the other', async () => {
    await load(3);
    await all(3);
    const [before] = await model.embed(['a cat']);
    await touch();
    const [after] = await model.embed(['a cat']);
    expect(after?.vector).toEqual(before?.vector);
    expect(errors).toHaveLength(3);
  });

  it('gives no vector any more where something has changed in it', async () => {
    await load(1);
    await appendFile(join(folder, DATA), ' ');
    for (let call = 0; call < 2; call += 1)
      await expect(model.embed(['a cat'])).rejects.toMatchObject({ code: 'model_loading' });
  });
});
