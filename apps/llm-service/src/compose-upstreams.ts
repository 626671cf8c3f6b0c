import { DistributedLlmClient, DistributedLlmMetrics, hostTransportOptions } from '@morgan/distributed-llm';
import type { Logger } from '@morgan/foundation';
import { HttpTransport } from '@morgan/http-transport';
import { RedisConnection } from '@morgan/redis';
import type { Metrics } from '@morgan/telemetry';
import { CallerLimits } from './callers/caller-limits.ts';
import { limitsCallers } from './callers/caller-limits.config.ts';
import { EMBEDDING_HOST, type LlmServiceConfig } from './config/llm-service.config.ts';

/** How long a stop waits for connections to hosts once nothing is in flight at the HTTP edge. */
const TRANSPORT_GRACE_MS = 1_000;

/**
 * One address with replicas behind it, some of which may be broken, and nobody to go to instead: only many faults in a
 * row mean that all of it is down.
 */
const EMBEDDING_FAILURE_THRESHOLD = 20;

type UpstreamConfig = LlmServiceConfig['llmService']['upstream'];

/** The LLM hosts and embedding-service: two clients over one transport, limits of callers, and a Redis for limits that replicas share. */
export function composeUpstreams(
  { upstream, embedding: embeddingService, redis: redisConfig, callerLimits }: LlmServiceConfig['llmService'],
  logger: Logger,
  metrics: Metrics,
) {
  const transport = new HttpTransport(hostTransportOptions(upstream));
  const { url } = redisConfig;
  const redis = url === undefined ? undefined : new RedisConnection({ ...redisConfig, url, logger });
  const clientMetrics = new DistributedLlmMetrics(metrics);
  const shared = { transport, redis, logger, metrics: clientMetrics };
  const llm = new DistributedLlmClient({ ...upstream, ...shared });
  const embedding = new DistributedLlmClient({
    ...embeddingSettings(upstream, embeddingService),
    ...shared,
    indicator: { name: 'embedding_service', required: false },
  });
  const limiterParts = { redis, logger, metrics: clientMetrics.policies.limiter };
  const callers = limitsCallers(callerLimits) ? new CallerLimits(callerLimits, limiterParts) : undefined;
  return {
    llm,
    embedding,
    callers,
    redis,
    start: async () => {
      redis?.start();
      await Promise.all([llm.start(), embedding.start()]);
    },
    /** @throws where a client cannot be made of it; nothing is changed then. */
    reload: async (next: UpstreamConfig) => {
      await llm.reload(next);
      await embedding.reload(embeddingSettings(next, embeddingService));
    },
    close: async () => {
      callers?.stop();
      await Promise.all([llm.stop(), embedding.stop()]);
      await Promise.all([transport.close(TRANSPORT_GRACE_MS), redis?.stop()]);
    },
  };
}

function embeddingSettings(
  upstream: UpstreamConfig,
  embeddingService: LlmServiceConfig['llmService']['embedding'],
): UpstreamConfig {
  return {
    ...upstream,
    // It is one of our own, and met directly.
    proxy: { ...upstream.proxy, httpUrl: undefined },
    circuitBreaker: { ...upstream.circuitBreaker, failureThreshold: EMBEDDING_FAILURE_THRESHOLD },
    hosts: [{ name: EMBEDDING_HOST, weight: 1, ...embeddingService }],
    routes: [],
    groups: {},
  };
}
