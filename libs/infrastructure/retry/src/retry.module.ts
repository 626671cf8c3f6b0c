import { type DynamicModule, Module } from '@nestjs/common';
import { DeadlinePolicy } from './deadline.policy.ts';
import { HedgePolicy } from './hedge.policy.ts';
import { RetryBudget } from './retry-budget.ts';
import type { RetryConfig } from './retry.config.ts';
import type { RetryCounter } from './retry-metrics.ts';
import { RetryPolicy } from './retry.policy.ts';

/** Provides one client's budget and the policies that share it. Register it once per client. */
@Module({})
export class RetryModule {
  static register(config: RetryConfig, metrics?: RetryCounter): DynamicModule {
    const budget = new RetryBudget({ ...config.budget, metrics: metrics?.budget });
    const parts = [
      budget,
      new DeadlinePolicy(config),
      new RetryPolicy({ ...config, budget, metrics }),
      new HedgePolicy({ ...config.hedge, budget, metrics }),
    ];
    return {
      module: RetryModule,
      providers: parts.map((part) => ({ provide: part.constructor, useValue: part })),
      exports: parts.map((part) => part.constructor),
    };
  }
}
