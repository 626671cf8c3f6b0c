import { setting } from '@morgan/foundation';
import { z } from 'zod';

/** What each API key may use. Nothing is limited by default. */
export const callerLimitsConfig = z
  .strictObject({
    requestsPerMinute: setting(z.int().min(1).optional(), {
      env: 'CALLER_REQUESTS_PER_MINUTE',
      doc: 'Calls of a host that each API key may make in a minute, all of them at once if it likes; then 429 until there is room. Answers say what is left, in `x-ratelimit-remaining-requests` and its sisters. Shared by all replicas through `REDIS_URL`. None: no limit.',
    }),
    tokensPerMinute: setting(z.int().min(1).optional(), {
      env: 'CALLER_TOKENS_PER_MINUTE',
      doc: 'Tokens, of prompts and answers, that the calls of each API key may cost in a minute; an estimate is taken first and corrected by what hosts count. Shared by all replicas through `REDIS_URL`. None: no limit.',
    }),
    replicas: setting(z.int().min(1).default(1), {
      env: 'CALLER_LIMIT_REPLICAS',
      doc: 'Replicas that share these limits; each lets its part through alone while Redis is gone.',
    }),
  })
  .prefault({});

export type CallerLimitsConfig = z.output<typeof callerLimitsConfig>;

/** Whether there is a limit at all. */
export function limitsCallers({ requestsPerMinute, tokensPerMinute }: CallerLimitsConfig): boolean {
  return requestsPerMinute !== undefined || tokensPerMinute !== undefined;
}
