import { describe, expect, it } from '@jest/globals';
import { Deadline } from '@morgan/foundation';
import { RateLimitPolicy } from './rate-limit.policy.ts';
import { RateLimiter } from './rate-limiter.ts';
import { rateLimiterConfig } from './rate-limiter.config.ts';

const context = { id: 'call', signal: new AbortController().signal };

describe('a rate limit around work', () => {
  it('lets the work begin when there is room, and else refuses it before it begins', async () => {
    const limiter = new RateLimiter({ name: 'test', ...rateLimiterConfig.parse({ limit: 10 }) });
    const policy = new RateLimitPolicy({ limiter, key: 'host', cost: 10 });
    let begun = 0;
    const work = () => Promise.resolve((begun += 1));
    expect(await policy.execute(work, context)).toBe(1);
    const hurried = { ...context, deadline: Deadline.after(20) };
    await expect(policy.execute(work, hurried)).rejects.toMatchObject({ code: 'rate_limited' });
    expect(begun).toBe(1);
  });
});
