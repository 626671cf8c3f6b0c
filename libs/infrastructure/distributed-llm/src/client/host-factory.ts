import type { Assessment, CallAssessor, Logger } from '@morgan/foundation';
import { AttemptPolicies, type AttemptPolicyMetrics } from '@morgan/http-client';
import type { RequestSender } from '@morgan/http-transport';
import type { HealthMetrics } from '@morgan/health-monitor';
import type { RedisConnection } from '@morgan/redis';
import type { LlmHost } from '../hosts/host-list.ts';
import { Host } from '../hosts/host.ts';
import type { DistributedLlmConfig } from '../distributed-llm.config.ts';

/** What hosts are made with. */
interface HostFactoryParts {
  readonly config: DistributedLlmConfig;
  readonly transportOf: (host: LlmHost) => RequestSender;
  readonly logger: Logger;
  readonly metrics: { readonly health: HealthMetrics; readonly policies: AttemptPolicyMetrics } | undefined;
  /** Shares the limits of hosts with the other replicas. */
  readonly redis: RedisConnection | undefined;
}

const IGNORED: Assessment = { verdict: 'ignored', overloaded: false };

/** What an attempt says of its host it says itself, when the call knows. */
const assessAttempt: CallAssessor = (ending) =>
  'result' in ending ? (ending.result as Assessment) : IGNORED;

/**
 * A host with its policies and its health.
 * @param before the one in whose place it is, at the same URL.
 */
export function createHost(options: LlmHost, parts: HostFactoryParts, before?: Host): Host {
  const { config, logger, metrics, redis } = parts;
  const { firstByteTimeoutMs, answerTimeoutMs = firstByteTimeoutMs } = config;
  const { rateLimit, tokenLimit, concurrency } = options;
  // What is slow is judged by the time to the first content, not by that of the whole response.
  const circuitBreaker = { ...config.circuitBreaker, slowCallMs: undefined };
  const policies = new AttemptPolicies({
    name: options.name,
    config: {
      circuitBreaker: {
        ...circuitBreaker,
        // An attempt ends by itself within its limits: a trial is never overdue before.
        trialTimeoutMs: Math.max(firstByteTimeoutMs, answerTimeoutMs),
        // One that is not streamed says nothing until it is whole, which may take minutes.
        trialSlotMs: circuitBreaker.resetTimeoutMs,
      },
      rateLimit,
      tokenLimit,
      concurrency,
    },
    assess: assessAttempt,
    logger,
    metrics: metrics?.policies,
    redis,
    before: before?.policies,
  });
  return new Host(options, {
    before,
    transport: parts.transportOf(options),
    logger,
    metrics,
    policies,
    probeIntervalMs: config.probeIntervalMs,
    probeTimeoutMs: config.probeTimeoutMs,
    maxRestMs: config.maxRestMs,
  });
}
