import { describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { Bulkhead } from './bulkhead.ts';
import { bulkheadConfig } from './concurrency.config.ts';
import { ConcurrencyModule } from './concurrency.module.ts';

describe('the Nest module', () => {
  it('provides the bulkhead', async () => {
    const module = await Test.createTestingModule({
      imports: [ConcurrencyModule.register({ name: 'host', config: bulkheadConfig.parse(undefined) })],
    }).compile();
    expect(module.get(Bulkhead).getStatus()).toMatchObject({ name: 'host', maxConcurrent: 100 });
    await module.close();
  });
});
