import { type DynamicModule, Module } from '@nestjs/common';
import type { HealthIndicator } from '@morgan/foundation';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController, HEALTH_INDICATORS } from './health.controller.ts';

/** Serves `/livez`, `/readyz` and `/health` over the given indicators. */
@Module({})
export class HealthModule {
  static register(indicators: readonly HealthIndicator[]): DynamicModule {
    return {
      module: HealthModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [{ provide: HEALTH_INDICATORS, useValue: indicators }],
    };
  }
}
