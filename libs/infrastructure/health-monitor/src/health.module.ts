import { type DynamicModule, Module } from '@nestjs/common';
import type { Probe } from '@morgan/foundation';
import { TerminusModule } from '@nestjs/terminus';
import { HealthController, PROBES } from './health.controller.ts';

/** Serves `/livez`, `/readyz` and `/health` over the given probes. */
@Module({})
export class HealthModule {
  static register(probes: readonly Probe[]): DynamicModule {
    return {
      module: HealthModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [{ provide: PROBES, useValue: probes }],
    };
  }
}
