import type { HostResponse, TokenUsage } from '@morgan/distributed-llm';
import type { CallerPermit } from '../callers/caller-permit.ts';
import type { ResponseMetrics } from './response-metrics.ts';

/** Counts what a response cost: in metrics, and against the limits of tokens of its host and of its caller. */
export function noteUsage(
  metrics: ResponseMetrics,
  response: HostResponse,
  usage: TokenUsage | undefined,
  permit: CallerPermit | undefined,
): void {
  const tokens = (usage?.input ?? 0) + (usage?.output ?? 0);
  // Where a host counts nothing, or says of an answer that it was nothing, the estimate stays.
  if (!usage || tokens === 0) return;
  metrics.counted(response, usage);
  response.settleTokens?.(tokens);
  permit?.count(tokens);
}
