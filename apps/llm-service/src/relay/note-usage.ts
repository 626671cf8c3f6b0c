import type { HostResponse } from '@morgan/distributed-llm';
import type { TokenUsage } from '@morgan/llm-protocol';
import type { IncomingCall } from '../exchange/outbound-call.ts';
import type { ResponseMetrics } from './response-metrics.ts';

/**
 * Counts what a response cost: in metrics, and against the limits of tokens of its host and of its caller. There a prompt that
 * nobody has counted is as long as it was taken for.
 */
export function noteUsage(
  metrics: ResponseMetrics,
  response: HostResponse,
  usage: TokenUsage | undefined,
  { permit, outline }: Pick<IncomingCall, 'permit' | 'outline'>,
): void {
  // Where a host counts nothing, or says of an answer that it was nothing, the estimate stays.
  const { input = 0, output = 0 } = usage ?? {};
  if (!usage || input + output === 0) return;
  metrics.counted(response, usage);
  if (!permit && !response.settleTokens) return;
  const tokens = (input > 0 ? input : (outline?.facts.promptTokens ?? 0)) + output;
  response.settleTokens?.(tokens);
  permit?.count(tokens);
}
