import { fileURLToPath } from 'node:url';
import { EmbeddingCache } from '@morgan/cache';
import { createHttpApplication, Drain, type ServiceParts } from '@morgan/http-server';
import { LocalEmbeddingModel } from '@morgan/local-embeddings';
import { RedisConnection, RedisGuard } from '@morgan/redis';
import { ApiKeys } from '@morgan/security';
import { createLogger, HttpMetrics, Metrics, RequestLog } from '@morgan/telemetry';
import { AppModule } from './app.module.ts';
import type { EmbeddingServiceConfig } from './config/embedding-service.config.ts';

/** Beside the apps in `dist`: the build puts it there, and a container image copies `dist` as it is. */
const BUNDLED_MODEL_DIR = fileURLToPath(
  new URL('../../models/universal-sentence-encoder-lite', import.meta.url),
);

/** Puts embedding-service together: everything that it is made of, in one place. */
export async function composeEmbeddingService(config: EmbeddingServiceConfig): Promise<ServiceParts> {
  const { log, auth, embeddingService } = config;
  const { http, callTimeoutMs } = embeddingService;
  const logger = createLogger('embedding-service', log);
  const metrics = new Metrics({ process: true });
  const model = new LocalEmbeddingModel({
    config: embeddingService.model,
    bundledModelDir: BUNDLED_MODEL_DIR,
    logger,
    metrics,
  });
  const { url } = embeddingService.redis;
  const redis =
    url === undefined ? undefined : new RedisConnection({ ...embeddingService.redis, url }, logger);
  const { redisTimeoutMs: timeoutMs } = embeddingService.cache;
  const redisGuard = redis && new RedisGuard({ name: 'embedding cache', timeoutMs, logger });
  const cache = new EmbeddingCache({ config: embeddingService.cache, redis, redisGuard, metrics });
  const drain = new Drain();
  const keys = new ApiKeys(auth.apiKeys);
  if (keys.open) logger.warn({}, 'no API keys are configured: every caller is accepted');
  const app = await createHttpApplication(
    AppModule.register({ model, cache, metrics, indicators: [drain, model, ...(redis ? [redis] : [])] }),
    {
      config: http,
      callTimeoutMs,
      logger,
      drain,
      observers: [new HttpMetrics(metrics), new RequestLog(logger)],
      metrics,
      authenticator: keys,
      api: {
        title: 'Morgan embedding-service',
        description: 'OpenAI-compatible embeddings from a local model.',
      },
    },
  );
  return {
    app,
    config: http,
    logger,
    drain,
    start: () => {
      redis?.start();
      return model.load();
    },
    close: async () => {
      redisGuard?.stop();
      await Promise.all([model.unload(), redis?.stop()]);
    },
  };
}
