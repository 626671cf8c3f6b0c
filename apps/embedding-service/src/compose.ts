import { EmbeddingCache } from '@morgan/cache';
import type { Logger } from '@morgan/foundation';
import { HttpClientMetrics } from '@morgan/http-client';
import {
  createHttpApplication,
  Drain,
  PARSED_JSON,
  ReadingTurns,
  type ServiceParts,
} from '@morgan/http-server';
import { LocalEmbeddingModel, ModelMemory } from '@morgan/local-embeddings';
import { RedisConnection, RedisGuard } from '@morgan/redis';
import { ApiKeys } from '@morgan/security';
import { createLogger, HttpMetrics, Metrics, RequestLog } from '@morgan/telemetry';
import { FallbackEmbeddingModel } from './remote/fallback-embedding-model.ts';
import { RemoteEmbeddingModel } from './remote/remote-embedding-model.ts';
import { AppModule } from './app.module.ts';
import { CacheWarmer } from './cache/cache-warmer.ts';
import { BUNDLED_MODEL_DIR } from './bundled-model.ts';
import type { EmbeddingServiceConfig } from './config/embedding-service.config.ts';
import type { EmbeddingModel } from './embeddings/embedding-model.ts';
import { EmbeddingService } from './embeddings/embedding.service.ts';
import { modelRoutes } from './model.routes.ts';
import { memoryLimit } from './models/memory-limit.ts';
import { furtherModelConfig } from './models/models.config.ts';
import { ServedModels } from './models/served-models.ts';
import { pathHint } from './path-hint.ts';

/**
 * Milliseconds from one piece of 256 kB of any long body to the next. That is 50 MB/s of texts, more than any model reads: whoever sends texts
 * of megabytes takes less of the processors, and the callers with short ones wait less.
 */
const LONG_BODY_REST_MS = 5;

/** Puts embedding-service together: everything that it is made of, in one place. */
export async function composeEmbeddingService(config: EmbeddingServiceConfig): Promise<ServiceParts> {
  const { log, embeddingService } = config;
  const { http, callTimeoutMs } = embeddingService;
  const logger = createLogger('embedding-service', log);
  const metrics = new Metrics({ process: true });
  const models = servedModels(embeddingService, logger, metrics);
  const { cache, redis, closeCache } = composeCache(embeddingService, logger, metrics);
  const service = new EmbeddingService({ models, cache, cutDimensions: embeddingService.cutDimensions });
  const warmer = new CacheWarmer(service, embeddingService.warming);
  const drain = new Drain();
  const app = await createHttpApplication(
    AppModule.register({
      cache,
      warmer,
      models,
      metrics,
      indicators: [drain, models.first, ...(redis ? [redis] : [])],
    }),
    {
      config: http,
      callTimeoutMs,
      logger,
      drain,
      observers: [new HttpMetrics(metrics), new RequestLog(logger)],
      metrics,
      bodies: { ...PARSED_JSON, turns: new ReadingTurns(LONG_BODY_REST_MS) },
      ...authenticators(config, logger),
      ...modelRoutes(service, models),
      pathHint,
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
      return models.start();
    },
    close: async () => {
      await Promise.all([models.stop(), closeCache()]);
    },
  };
}

/** Who may call, and who may do what operators do; the log says where that is everybody. */
function authenticators({ auth: { apiKeys }, embeddingService }: EmbeddingServiceConfig, logger: Logger) {
  const { apiKey } = embeddingService.admin;
  const authenticator = new ApiKeys(apiKeys);
  if (authenticator.open) logger.warn({}, 'no API keys are configured: every caller is accepted');
  else if (apiKey === undefined && apiKeys.length > 1)
    logger.warn({}, 'no admin API key is configured: every caller may empty the cache');
  return { authenticator, operators: apiKey === undefined ? undefined : new ApiKeys([apiKey]) };
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
  const redis = new RedisConnection({ ...redisConfig, url, logger });
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

/** The model that is loaded at the start, and those that are loaded when they are asked for; they share one memory. */
function servedModels(
  { model, remote, further, proxy: { url, except } }: EmbeddingServiceConfig['embeddingService'],
  logger: Logger,
  metrics: Metrics,
): ServedModels {
  const { backend, ...local } = model;
  const memory = new ModelMemory(memoryLimit(local.memoryLimitMb, logger));
  const proxy = url === undefined ? undefined : { url, except };
  const parts = { bundledModelDir: BUNDLED_MODEL_DIR, logger, metrics, memory, proxy };
  const fallbackTexts = metrics.counter({
    name: 'morgan_embedding_fallback_texts_total',
    help: 'Texts for which no embedding host gave a vector and `EMBEDDING_REMOTE_FALLBACK_MODEL` did.',
  });
  const first = (): EmbeddingModel => {
    if (backend !== 'remote')
      return new LocalEmbeddingModel({ config: { ...local, backend }, ...parts, setting: 'EMBEDDING_MODEL' });
    const { name: id, truncate } = local;
    const clients = new HttpClientMetrics(metrics);
    const options = { config: remote, id, truncate, logger, metrics: clients, proxy };
    const hosts = new RemoteEmbeddingModel(options);
    if (remote.fallbackModel === undefined) return hosts;
    const same = { ...local, name: undefined, backend: 'auto' as const, model: remote.fallbackModel };
    const texts = fallbackTexts;
    return new FallbackEmbeddingModel({
      hosts,
      local: new LocalEmbeddingModel({ config: same, ...parts, setting: 'EMBEDDING_REMOTE_FALLBACK_MODEL' }),
      logger,
      texts,
    });
  };
  const others = further.models.map(
    (own) =>
      new LocalEmbeddingModel({
        config: furtherModelConfig(local, own),
        ...parts,
        setting: 'EMBEDDING_FURTHER_MODELS',
      }),
  );
  return new ServedModels([first(), ...others], { idleMs: further.idleMs, logger });
}
