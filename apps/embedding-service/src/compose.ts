import { EmbeddingCache } from '@morgan/cache';
import type { Logger } from '@morgan/foundation';
import { HttpClientMetrics } from '@morgan/http-client';
import { createHttpApplication, Drain, type ServiceParts } from '@morgan/http-server';
import { LocalEmbeddingModel } from '@morgan/local-embeddings';
import { RedisConnection, RedisGuard } from '@morgan/redis';
import { ApiKeys } from '@morgan/security';
import { createLogger, HttpMetrics, Metrics, RequestLog } from '@morgan/telemetry';
import { RemoteEmbeddingModel } from './remote/remote-embedding-model.ts';
import { AppModule } from './app.module.ts';
import { CacheWarmer } from './cache/cache-warmer.ts';
import { BUNDLED_MODEL_DIR } from './bundled-model.ts';
import type { EmbeddingServiceConfig } from './config/embedding-service.config.ts';
import type { EmbeddingModel } from './embeddings/embedding-model.ts';
import { EmbeddingService } from './embeddings/embedding.service.ts';

/** Puts embedding-service together: everything that it is made of, in one place. */
export async function composeEmbeddingService(config: EmbeddingServiceConfig): Promise<ServiceParts> {
  const { log, auth, embeddingService } = config;
  const { http, callTimeoutMs } = embeddingService;
  const logger = createLogger('embedding-service', log);
  const metrics = new Metrics({ process: true });
  const model = embeddingModel(embeddingService, logger, metrics);
  const { cache, redis, closeCache } = composeCache(embeddingService, logger, metrics);
  const service = new EmbeddingService({ model, cache, cutDimensions: embeddingService.cutDimensions });
  const warmer = new CacheWarmer(service, embeddingService.warming);
  const drain = new Drain();
  const keys = new ApiKeys(auth.apiKeys);
  if (keys.open) logger.warn({}, 'no API keys are configured: every caller is accepted');
  const app = await createHttpApplication(
    AppModule.register({
      service,
      cache,
      warmer,
      metrics,
      indicators: [drain, model, ...(redis ? [redis] : [])],
    }),
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

function embeddingModel(
  { model, remote }: EmbeddingServiceConfig['embeddingService'],
  logger: Logger,
  metrics: Metrics,
): EmbeddingModel {
  const { backend, ...local } = model;
  if (backend !== 'remote') {
    const config = { ...local, backend };
    return new LocalEmbeddingModel({ config, bundledModelDir: BUNDLED_MODEL_DIR, logger, metrics });
  }
  const { name: id, truncate } = local;
  const clients = new HttpClientMetrics(metrics);
  return new RemoteEmbeddingModel({ config: remote, id, truncate, logger, metrics: clients });
}
