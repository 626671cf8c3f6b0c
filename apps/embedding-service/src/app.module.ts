import { type DynamicModule, Module } from '@nestjs/common';
import type { HealthIndicator } from '@morgan/foundation';
import { HealthModule } from '@morgan/health-monitor';
import { type Metrics, TelemetryModule } from '@morgan/telemetry';
import { CohereController } from './cohere/cohere.controller.ts';
import { EmbeddingService } from './embeddings/embedding.service.ts';
import { EmbeddingsController } from './embeddings/embeddings.controller.ts';
import { SimilarityController } from './similarity/similarity.controller.ts';
import { TeiController } from './tei/tei.controller.ts';

/** The parts that the controllers stand on. */
export interface AppParts {
  readonly service: EmbeddingService;
  readonly metrics: Metrics;
  readonly indicators: readonly HealthIndicator[];
}

@Module({})
export class AppModule {
  static register({ service, metrics, indicators }: AppParts): DynamicModule {
    return {
      module: AppModule,
      imports: [HealthModule.register(indicators), TelemetryModule.register(metrics)],
      controllers: [EmbeddingsController, SimilarityController, TeiController, CohereController],
      providers: [{ provide: EmbeddingService, useValue: service }],
    };
  }
}
