import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { loadConfig, type Logger } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { waitFor } from '@morgan/testing';
import { z } from 'zod';
import { writeTinyBert } from '../../fixture/tiny-bert.ts';
import { LocalEmbeddingModel } from '../local-embedding-model.ts';
import { ModelProcess } from './model-process.ts';
import { localEmbeddingsConfig } from '../local-embeddings.config.ts';

const DEFAULTS = loadConfig(z.strictObject({ model: localEmbeddingsConfig }), { env: {} }).model;
const context = { id: 'test', signal: new AbortController().signal };

describe('a process that cannot be replaced', () => {
  it('does not harm the calls of the other one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'morgan-loss-'));
    await writeTinyBert(folder);
    const refused = Promise.withResolvers<void>();
    const logger: Logger = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (_, message) => {
        if (message.includes('could not be started')) refused.resolve();
      },
    };
    const model = new LocalEmbeddingModel({
      config: { ...DEFAULTS, model: folder, workers: 2, threads: 1 },
      bundledModelDir: folder,
      logger,
      metrics: new Metrics(),
    });
    const run = jest.spyOn(ModelProcess.prototype, 'run');
    try {
      await model.load();
      await waitFor(() => model.getStatus().workersAlive === 2, {
        what: 'both processes',
        timeoutMs: 30_000,
      });
      await Promise.all([model.embed(['red'], context), model.embed(['blue'], context)]);
      const index = run.mock.calls.findIndex(([type]) => type === 'run');
      const { pid } = run.mock.contexts[index] as ModelProcess;
      await rm(folder, { recursive: true });
      let isRefused = false;
      void refused.promise.then(() => (isRefused = true));
      // There is no model any more that another one could load.
      process.kill(pid as number, 'SIGKILL');
      let answered = 0;
      while (!isRefused) answered += (await model.embed(['red', 'tea'], context)).length;
      expect(answered).toBeGreaterThan(0);
      expect(model.getStatus()).toMatchObject({ workersAlive: 1, workersWanted: 2 });
      expect(model.read().up).toBe(true);
    } finally {
      run.mockRestore();
      await model.unload();
    }
  });
});
