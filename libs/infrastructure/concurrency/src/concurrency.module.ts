import { type DynamicModule, Module } from '@nestjs/common';
import type { AdaptiveBulkhead } from './adaptive-bulkhead.ts';
import type { AdaptiveTimeout } from './adaptive-timeout.ts';
import type { Bulkhead } from './bulkhead.ts';

/** Provides the bulkhead of either kind and the timeout that the application has made, each under its class. */
@Module({})
export class ConcurrencyModule {
  static register(...parts: readonly (Bulkhead | AdaptiveBulkhead | AdaptiveTimeout)[]): DynamicModule {
    return {
      module: ConcurrencyModule,
      providers: parts.map((part) => ({ provide: part.constructor, useValue: part })),
      exports: parts.map((part) => part.constructor),
    };
  }
}
