import { type DynamicModule, Module } from '@nestjs/common';
import { EmbeddingCache } from '@morgan/cache';
import type { HealthIndicator } from '@morgan/foundation';
import { HealthModule } from '@morgan/health-monitor';
import { type Metrics, TelemetryModule } from '@morgan/telemetry';
import { CacheController } from './cache/cache.controller.ts';
import { CacheWarmer } from './cache/cache-warmer.ts';
import { CohereController } from './cohere/cohere.controller.ts';
import { EmbeddingService } from './embeddings/embedding.service.ts';
import { EmbeddingsController } from './embeddings/embeddings.controller.ts';
import { ServedModels } from './models/served-models.ts';
import { RankingService } from './ranking/ranking.service.ts';
import { RerankController } from './ranking/rerank.controller.ts';
import { SimilarityController } from './similarity/similarity.controller.ts';
import { EmbedAllController } from './tei/embed-all.controller.ts';
import { TeiController } from './tei/tei.controller.ts';
import { TokenizeController } from './tei/tokenize.controller.ts';

/** The parts that the controllers stand on. */
export interface AppParts {
  readonly service: EmbeddingService;
  readonly cache: EmbeddingCache;
  readonly warmer: CacheWarmer;
  readonly models: ServedModels;
  readonly metrics: Metrics;
  readonly indicators: readonly HealthIndicator[];
}

@Module({})
export class AppModule {
  static register({ service, cache, warmer, models, metrics, indicators }: AppParts): DynamicModule {
    return {
      module: AppModule,
      imports: [HealthModule.register(indicators), TelemetryModule.register(metrics)],
      controllers: [
        EmbeddingsController,
        SimilarityController,
        TeiController,
        TokenizeController,
        EmbedAllController,
        CohereController,
        RerankController,
        CacheController,
      ],
      providers: [
        { provide: EmbeddingService, useValue: service },
        { provide: EmbeddingCache, useValue: cache },
        { provide: CacheWarmer, useValue: warmer },
        { provide: ServedModels, useValue: models },
        { provide: RankingService, useValue: new RankingService(models) },
      ],
    };
  }
}
