import type { LlmServiceConfig } from './llm-service.config.ts';

/** A limit of hosts, and the one of the whole call that always comes first. Settings by their paths. */
export interface UnreachedLimit {
  readonly limit: string;
  readonly endsBefore: string;
}

/**
 * Limits of hosts that end no call: the whole call has ended before. Its end is nobody's fault, so that a host which hangs is
 * not left for another one, and not found to hang.
 */
export function unreachedLimits({
  upstream,
  timeouts,
}: Pick<LlmServiceConfig['llmService'], 'upstream' | 'timeouts'>): UnreachedLimit[] {
  const { firstByteTimeoutMs, answerTimeoutMs } = upstream;
  const answerLimit = answerTimeoutMs === undefined ? 'firstByteTimeoutMs' : 'answerTimeoutMs';
  const pairs = [
    ['firstByteTimeoutMs', firstByteTimeoutMs, 'chatStreamMs'],
    [answerLimit, answerTimeoutMs ?? firstByteTimeoutMs, 'chatMs'],
    ['streams.stallTimeoutMs', upstream.streams.stallTimeoutMs, 'chatStreamMs'],
  ] as const;
  return pairs
    .filter(([, ms, whole]) => ms >= timeouts[whole])
    .map(([limit, , whole]) => ({
      limit: `llmService.upstream.${limit}`,
      endsBefore: `llmService.timeouts.${whole}`,
    }));
}
