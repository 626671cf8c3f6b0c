import { type DynamicModule, Module } from '@nestjs/common';
import { RateLimiter } from './rate-limiter.ts';

/** Provides a limiter that the application has made. */
@Module({})
export class RateLimiterModule {
  static register(limiter: RateLimiter): DynamicModule {
    return {
      module: RateLimiterModule,
      providers: [{ provide: RateLimiter, useValue: limiter }],
      exports: [RateLimiter],
    };
  }
}
