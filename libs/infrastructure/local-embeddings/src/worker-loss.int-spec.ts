import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, jest } from '@jest/globals';
import { loadConfig, type Logger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { z } from 'zod';
import { writeTinyBert } from '../fixture/tiny-bert.ts';
import { LocalEmbeddingModel } from './local-embedding-model.ts';
import { localEmbeddingsConfig } from './local-embeddings.config.ts';

const DEFAULTS = loadConfig(z.strictObject({ model: localEmbeddingsConfig }), { env: {} }).model;
const context = { id: 'test', signal: new AbortController().signal };

describe('a worker that cannot be replaced', () => {
  it('does not harm the calls of the other one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'morgan-loss-'));
    await writeTinyBert(folder);
    const refused = Promise.withResolvers<void>();
    const logger: Logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (_, message) => {
        if (message.includes('could not be restarted')) refused.resolve();
      },
    };
    const model = new LocalEmbeddingModel({
      config: { ...DEFAULTS, model: folder, workers: 2, threads: 1 },
      bundledModelDir: folder,
      logger,
      metrics: new Metrics(),
    });
    const post = jest.spyOn(Worker.prototype, 'postMessage');
    try {
      await model.load();
      await Promise.all([model.embed(['red'], context), model.embed(['blue'], context)]);
      const [one] = new Set(post.mock.contexts as Worker[]);
      await rm(folder, { recursive: true });
      let isRefused = false;
      void refused.promise.then(() => (isRefused = true));
      // No worker understands this: it dies of it, and there is no model any more that another one could load.
      one?.postMessage(null);
      let answered = 0;
      while (!isRefused) answered += (await model.embed(['red', 'tea'], context)).length;
      expect(answered).toBeGreaterThan(0);
      expect(model.getStatus()).toMatchObject({ workersAlive: 1, workersWanted: 2 });
      expect(model.read().up).toBe(true);
    } finally {
      post.mockRestore();
      await model.unload();
    }
  });
});
