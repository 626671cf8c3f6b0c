import type { HostResponse, TokenUsage } from '@morgan/distributed-llm';
import type { ResponseMetrics } from './response-metrics.ts';

/** Counts what a response cost, in metrics and against the host's own limit of tokens. */
export function noteUsage(
  metrics: ResponseMetrics,
  response: HostResponse,
  usage: TokenUsage | undefined,
): void {
  // Where a host counts nothing the estimate stays.
  if (usage?.input === undefined && usage?.output === undefined) return;
  metrics.counted(response, usage);
  response.settleTokens?.((usage.input ?? 0) + (usage.output ?? 0));
}
