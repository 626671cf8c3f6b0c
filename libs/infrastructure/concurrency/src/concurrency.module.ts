import { type DynamicModule, Module } from '@nestjs/common';
import { Bulkhead, type BulkheadOptions } from './bulkhead.ts';

/** Provides one {@link Bulkhead} to a Nest application. */
@Module({})
export class ConcurrencyModule {
  static register(options: BulkheadOptions): DynamicModule {
    return {
      module: ConcurrencyModule,
      providers: [{ provide: Bulkhead, useValue: new Bulkhead(options) }],
      exports: [Bulkhead],
    };
  }
}
