import { type DynamicModule, Module } from '@nestjs/common';
import { EmbeddingCache } from '@morgan/cache';
import type { HealthIndicator } from '@morgan/foundation';
import { HealthModule } from '@morgan/health-monitor';
import { type Metrics, TelemetryModule } from '@morgan/telemetry';
import { CacheController } from './cache/cache.controller.ts';
import { CacheWarmer } from './cache/cache-warmer.ts';
import { ModelsController } from './models/models.controller.ts';
import { ServedModels } from './models/served-models.ts';
import { OllamaModelsController } from './ollama/ollama-models.controller.ts';
import { TeiInfoController } from './tei/tei-info.controller.ts';

/** The parts that the controllers stand on. */
interface AppParts {
  readonly cache: EmbeddingCache;
  readonly warmer: CacheWarmer;
  readonly models: ServedModels;
  readonly metrics: Metrics;
  readonly indicators: readonly HealthIndicator[];
}

@Module({})
export class AppModule {
  static register({ cache, warmer, models, metrics, indicators }: AppParts): DynamicModule {
    return {
      module: AppModule,
      imports: [HealthModule.register(indicators), TelemetryModule.register(metrics)],
      controllers: [ModelsController, TeiInfoController, OllamaModelsController, CacheController],
      providers: [
        { provide: EmbeddingCache, useValue: cache },
        { provide: CacheWarmer, useValue: warmer },
        { provide: ServedModels, useValue: models },
      ],
    };
  }
}
