import { fileURLToPath } from 'node:url';
import { EmbeddingCache } from '@morgan/cache';
import type { Logger } from '@morgan/foundation';
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
  const { cache, redis, closeCache } = composeCache(embeddingService, logger, metrics);
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
      await Promise.all([model.unload(), closeCache()]);
    },
  };
}

/** The cache, in Redis too where one is configured. */
function composeCache(
  { cache: config, redis: redisConfig }: EmbeddingServiceConfig['embeddingService'],
  logger: Logger,
  metrics: Metrics,
) {
  const { url } = redisConfig;
  if (url === undefined)
    return { cache: new EmbeddingCache({ config, metrics }), redis: undefined, closeCache: () => undefined };
  const redis = new RedisConnection({ ...redisConfig, url }, logger);
  const redisGuard = new RedisGuard({ name: 'embedding cache', timeoutMs: config.redisTimeoutMs, logger });
  return {
    cache: new EmbeddingCache({ config, redis, redisGuard, metrics }),
    redis,
    closeCache: () => {
      redisGuard.stop();
      return redis.stop();
    },
  };
}
