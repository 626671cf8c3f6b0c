import { type CircuitBreakerMetrics, CircuitBreakerRegistry } from '@morgan/circuit-breaker';
import type { CallAssessor, Logger } from '@morgan/foundation';
import type { DistributedLlmConfig } from './distributed-llm.config.ts';
import type { Host } from './host.ts';
import type { Try } from './upstream.ts';

/** What the breakers of hosts are made of. */
export interface HostBreakersOptions {
  readonly logger: Logger;
  readonly metrics: { readonly circuitBreakers: CircuitBreakerMetrics };
  readonly circuitBreaker: DistributedLlmConfig['circuitBreaker'];
  readonly firstByteTimeoutMs: number;
}

/** One breaker for each host, under its name, around the tries that {@link Upstream} makes. */
export function guardHosts(hosts: readonly Host[], options: HostBreakersOptions): CircuitBreakerRegistry {
  const { logger, metrics, circuitBreaker, firstByteTimeoutMs } = options;
  const breakers = new CircuitBreakerRegistry({
    // A try ends by itself within the first-byte limit: a trial is never overdue before.
    config: { ...circuitBreaker, trialTimeoutMs: firstByteTimeoutMs },
    assess: assessTry,
    metrics: metrics.circuitBreakers,
  });
  breakers.onChange(({ breaker: host, to, reason, counts, openMs }) => {
    if (to === 'OPEN') logger.warn({ host, reason, counts, openMs }, 'host fails and is left alone');
    if (to === 'CLOSED') logger.info({ host, reason }, 'host answers again');
  });
  // Metrics show a breaker once it is there.
  for (const { name } of hosts) breakers.get(name);
  return breakers;
}

const assessTry: CallAssessor = (ending) => {
  const verdict = 'result' in ending ? (ending.result as Try).verdict : 'ignored';
  return { verdict, overloaded: false };
};
