import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { RateLimiterModule } from './rate-limiter.module.ts';
import { RateLimiter } from './rate-limiter.ts';
import { rateLimiterConfig } from './rate-limiter.config.ts';

it('the module provides the limiter that the application has made', async () => {
  const limiter = new RateLimiter({ name: 'test', ...rateLimiterConfig.parse({ limit: 1 }) });
  const context = await Test.createTestingModule({
    imports: [RateLimiterModule.register(limiter)],
  }).compile();
  expect(context.get(RateLimiter)).toBe(limiter);
});
