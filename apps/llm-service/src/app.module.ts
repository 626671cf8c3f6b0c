import { type DynamicModule, Module } from '@nestjs/common';
import type { HealthIndicator } from '@morgan/foundation';
import { HealthModule } from '@morgan/health-monitor';
import { type Metrics, TelemetryModule } from '@morgan/telemetry';
import { ModelsController } from './models/models.controller.ts';
import type { DistributedLlmClient } from '@morgan/distributed-llm';
import { EMBEDDING_UPSTREAM, LLM_UPSTREAM } from './relay/upstreams.ts';

/** The parts that the controllers stand on. */
interface AppParts {
  readonly llm: DistributedLlmClient;
  readonly embedding: DistributedLlmClient;
  readonly metrics: Metrics;
  readonly indicators: readonly HealthIndicator[];
}

@Module({})
export class AppModule {
  static register({ llm, embedding, metrics, indicators }: AppParts): DynamicModule {
    return {
      module: AppModule,
      imports: [HealthModule.register(indicators), TelemetryModule.register(metrics)],
      controllers: [ModelsController],
      providers: [
        { provide: LLM_UPSTREAM, useValue: llm },
        { provide: EMBEDDING_UPSTREAM, useValue: embedding },
      ],
    };
  }
}
