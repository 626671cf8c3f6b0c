import { type DynamicModule, Module } from '@nestjs/common';
import type { DistributedLlmClient } from '@morgan/distributed-llm';
import type { Logger, HealthIndicator } from '@morgan/foundation';
import { HealthModule } from '@morgan/health-monitor';
import { type Metrics, TelemetryModule } from '@morgan/telemetry';
import { ChatController } from './openai/chat.controller.ts';
import { EmbeddingsController } from './openai/embeddings.controller.ts';
import { ModelsController } from './openai/models.controller.ts';
import type { CallTimeouts } from './relay/call-timeouts.config.ts';
import { HostRelay } from './relay/host-relay.ts';
import { EMBEDDING_UPSTREAM, LLM_UPSTREAM } from './relay/upstreams.ts';

/** The parts that the controllers stand on. */
export interface AppParts {
  readonly llm: DistributedLlmClient;
  readonly embedding: DistributedLlmClient;
  readonly timeouts: CallTimeouts;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly indicators: readonly HealthIndicator[];
}

@Module({})
export class AppModule {
  static register({ llm, embedding, timeouts, metrics, logger, indicators }: AppParts): DynamicModule {
    return {
      module: AppModule,
      imports: [HealthModule.register(indicators), TelemetryModule.register(metrics)],
      controllers: [ChatController, EmbeddingsController, ModelsController],
      providers: [
        { provide: LLM_UPSTREAM, useValue: llm },
        { provide: EMBEDDING_UPSTREAM, useValue: embedding },
        { provide: HostRelay, useValue: new HostRelay({ llm, embedding, timeouts, logger }) },
      ],
    };
  }
}
