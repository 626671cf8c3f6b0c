import { type DynamicModule, Module } from '@nestjs/common';
import type { CircuitBreakerParts } from './circuit-breaker.ts';
import { CircuitBreakerRegistry } from './circuit-breaker-registry.ts';

/** Provides a {@link CircuitBreakerRegistry} to whoever asks for it by its class. */
@Module({})
export class CircuitBreakerModule {
  static register(shared: Omit<CircuitBreakerParts, 'name'> = {}): DynamicModule {
    return {
      module: CircuitBreakerModule,
      providers: [{ provide: CircuitBreakerRegistry, useValue: new CircuitBreakerRegistry(shared) }],
      exports: [CircuitBreakerRegistry],
    };
  }
}
