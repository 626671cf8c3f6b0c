import { type DynamicModule, Module } from '@nestjs/common';
import type { HealthIndicator } from '@morgan/foundation';
import { HealthModule } from '@morgan/health-monitor';
import { type Metrics, TelemetryModule } from '@morgan/telemetry';
import type { Endpoint } from './endpoints/endpoint.ts';
import { endpointsController } from './endpoints/endpoints.controller.ts';
import { ModelsController } from './openai/models.controller.ts';
import { HostRelay, type HostRelayOptions } from './relay/host-relay.ts';
import { EMBEDDING_UPSTREAM, LLM_UPSTREAM } from './relay/upstreams.ts';

/** The parts that the controllers stand on. */
export interface AppParts {
  readonly relay: HostRelayOptions;
  readonly endpoints: readonly Endpoint[];
  readonly metrics: Metrics;
  readonly indicators: readonly HealthIndicator[];
}

@Module({})
export class AppModule {
  static register({ relay, endpoints, metrics, indicators }: AppParts): DynamicModule {
    return {
      module: AppModule,
      imports: [HealthModule.register(indicators), TelemetryModule.register(metrics)],
      controllers: [endpointsController(endpoints), ModelsController],
      providers: [
        { provide: LLM_UPSTREAM, useValue: relay.llm },
        { provide: EMBEDDING_UPSTREAM, useValue: relay.embedding },
        { provide: HostRelay, useValue: new HostRelay(relay) },
      ],
    };
  }
}
