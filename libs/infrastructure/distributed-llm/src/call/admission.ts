import type { Assessment } from '@morgan/foundation';
import type { AttemptRequest } from '@morgan/http-client';
import type { Host } from '../hosts/host.ts';

/** Takes what an attempt really cost in tokens, in place of the estimate. */
export type SettleTokens = (tokens: number) => void;

/** Whether an attempt may have to wait for its turn at a host. */
export function hasLimits({ options: { rateLimit, tokenLimit, concurrency } }: Host): boolean {
  return (rateLimit ?? tokenLimit ?? concurrency) !== undefined;
}

/**
 * Resolves when the policies of a host let an attempt begin; they hear of its end through the assessment.
 * @returns what takes the tokens that it really cost, where they are limited. Rejects as `AttemptPolicies.execute`.
 */
export function admit(
  { policies, options }: Host,
  request: AttemptRequest,
  assessment: Promise<Assessment>,
): Promise<SettleTokens | undefined> {
  return new Promise((begin, refuse) => {
    const work = (_: unknown, permit: { readonly settleTokens: SettleTokens }) => {
      begin(options.tokenLimit ? (tokens) => permit.settleTokens(tokens) : undefined);
      return assessment;
    };
    policies.execute(work, request).catch(refuse);
  });
}
