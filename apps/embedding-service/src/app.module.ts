import { type DynamicModule, Module } from '@nestjs/common';
import { EmbeddingCache } from '@morgan/cache';
import type { HealthIndicator } from '@morgan/foundation';
import { HealthModule } from '@morgan/health-monitor';
import { type Metrics, TelemetryModule } from '@morgan/telemetry';
import { EmbeddingModel } from './embeddings/embedding-model.ts';
import { EmbeddingsController } from './embeddings/embeddings.controller.ts';
import { EmbeddingsService } from './embeddings/embeddings.service.ts';

/** The parts that the controllers stand on. */
export interface AppParts {
  readonly model: EmbeddingModel;
  readonly cache: EmbeddingCache;
  readonly metrics: Metrics;
  readonly indicators: readonly HealthIndicator[];
}

@Module({})
export class AppModule {
  static register({ model, cache, metrics, indicators }: AppParts): DynamicModule {
    return {
      module: AppModule,
      imports: [HealthModule.register(indicators), TelemetryModule.register(metrics)],
      controllers: [EmbeddingsController],
      providers: [
        EmbeddingsService,
        { provide: EmbeddingModel, useValue: model },
        { provide: EmbeddingCache, useValue: cache },
      ],
    };
  }
}
