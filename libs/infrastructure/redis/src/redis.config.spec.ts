import { describe, expect, it } from '@jest/globals';
import { redisConfig } from './redis.config.ts';

describe('the configuration of Redis', () => {
  it.each([
    [1, true],
    [60_000, true],
    // A timer cannot be set for so long, and would be over at once: every command would be late.
    [2_147_483_648, false],
    [3_000_000_000, false],
  ])('takes a command timeout of %i ms: %s', (commandTimeoutMs, isTaken) => {
    expect(redisConfig.safeParse({ commandTimeoutMs }).success).toBe(isTaken);
  });
});
