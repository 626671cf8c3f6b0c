import { DistributedLlmClient, DistributedLlmMetrics, hostTransportOptions } from '@morgan/distributed-llm';
import type { Logger } from '@morgan/foundation';
import { createHttpApplication, Drain, type ServiceParts } from '@morgan/http-server';
import { HttpTransport } from '@morgan/http-transport';
import { ApiKeys } from '@morgan/security';
import { createLogger, HttpMetrics, Metrics, RequestLog } from '@morgan/telemetry';
import { AppModule } from './app.module.ts';
import type { LlmServiceConfig } from './config/llm-service.config.ts';
import { ENDPOINTS, extraEndpoint } from './endpoints/endpoint.table.ts';
import { errorBodyOf } from './endpoints/error-body.ts';
import { OUTLINE } from './openai/outline.format.ts';
import { GATEWAY_HOST, HOST_HEADER } from './relay/answer-head.ts';
import { AnswerMetrics } from './relay/answer-metrics.ts';

/** How long a stop waits for connections to hosts once nothing is in flight at the HTTP edge. */
const TRANSPORT_GRACE_MS = 1_000;

/**
 * One address with replicas behind it, some of which may be broken, and nobody to go to instead: only many faults in a
 * row mean that all of it is down.
 */
const EMBEDDING_FAILURE_THRESHOLD = 20;

/** Puts llm-service together: everything that it is made of, in one place. */
export async function composeLlmService({ log, auth, llmService }: LlmServiceConfig): Promise<ServiceParts> {
  const { http, timeouts, streams, extraPaths } = llmService;
  const logger = createLogger('llm-service', log);
  const metrics = new Metrics({ process: true });
  const { llm, embedding, start, close } = composeUpstreams(llmService, logger, metrics);
  const drain = new Drain();
  const keys = new ApiKeys(auth.apiKeys);
  if (keys.open) logger.warn({}, 'no API keys are configured: every caller is accepted');
  const app = await createHttpApplication(
    AppModule.register({
      relay: { llm, embedding, timeouts, streams, logger, metrics: new AnswerMetrics(metrics) },
      endpoints: [...ENDPOINTS, ...extraPaths.map(extraEndpoint)],
      metrics,
      indicators: [drain, llm, embedding],
    }),
    {
      config: http,
      logger,
      drain,
      observers: [new HttpMetrics(metrics), new RequestLog(logger)],
      metrics,
      authenticator: keys,
      bodies: OUTLINE,
      errorBody: errorBodyOf,
      headers: { [HOST_HEADER]: GATEWAY_HOST },
      api: {
        title: 'Morgan llm-service',
        description: 'OpenAI-compatible gateway over many LLM hosts.',
      },
    },
  );
  return { app, config: http, logger, drain, start, close };
}

/** The LLM hosts and embedding-service: two clients over one transport. */
function composeUpstreams(
  { upstream, embedding: embeddingService }: LlmServiceConfig['llmService'],
  logger: Logger,
  metrics: Metrics,
) {
  const transport = new HttpTransport(hostTransportOptions(upstream));
  const shared = { ...upstream, transport, logger, metrics: new DistributedLlmMetrics(metrics) };
  const llm = new DistributedLlmClient(shared);
  const embedding = new DistributedLlmClient({
    ...shared,
    circuitBreaker: { ...upstream.circuitBreaker, failureThreshold: EMBEDDING_FAILURE_THRESHOLD },
    hosts: [{ name: 'embedding-service', ...embeddingService }],
    routes: [],
    groups: {},
    indicator: { name: 'embedding_service', required: false },
  });
  return {
    llm,
    embedding,
    start: async () => {
      await Promise.all([llm.start(), embedding.start()]);
    },
    close: async () => {
      await Promise.all([llm.stop(), embedding.stop()]);
      await transport.close(TRANSPORT_GRACE_MS);
    },
  };
}
