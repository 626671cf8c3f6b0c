import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { AdaptiveBulkhead } from './adaptive-bulkhead.ts';
import { AdaptiveTimeout } from './adaptive-timeout.ts';
import { Bulkhead } from './bulkhead.ts';
import { adaptiveLimitConfig, adaptiveTimeoutConfig, bulkheadConfig } from './concurrency.config.ts';
import { ConcurrencyModule } from './concurrency.module.ts';

it('the Nest module provides what the application has made, under its class', async () => {
  const parts = [
    new Bulkhead({ name: 'host', config: bulkheadConfig.parse(undefined) }),
    new AdaptiveBulkhead({ name: 'host', limit: adaptiveLimitConfig.parse(undefined), maxQueue: 1 }),
    new AdaptiveTimeout({ name: 'host', config: adaptiveTimeoutConfig.parse(undefined) }),
  ] as const;
  const imports = [ConcurrencyModule.register(...parts)];
  const context = await Test.createTestingModule({ imports }).compile();
  expect([Bulkhead, AdaptiveBulkhead, AdaptiveTimeout].map((part) => context.get<unknown>(part))).toEqual(
    parts,
  );
  await context.close();
});
