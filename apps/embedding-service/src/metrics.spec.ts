import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { docRegion } from '@morgan/testing';
import { composeEmbeddingService } from './compose.ts';
import { embeddingServiceConfig } from './config/embedding-service.config.ts';

describe('docs/metrics.md', () => {
  it('has exactly the metrics of embedding-service', async () => {
    // Any folder will do: nothing is loaded before the start.
    const env = { EMBEDDING_MODEL: join(import.meta.dirname, 'config'), LOG_LEVEL: 'silent' };
    const { app, close } = await composeEmbeddingService(loadConfig(embeddingServiceConfig, { env }));
    const table = app.get(Metrics, { strict: false }).describe();
    await close();
    expect(docRegion('docs/metrics.md', 'embedding-service', table)).toBe(table);
  });

  it('shows faults that have not come yet as zeros, so that the first one of a kind is a rise', async () => {
    const env = { EMBEDDING_MODEL: join(import.meta.dirname, 'config'), LOG_LEVEL: 'silent' };
    const { app, close } = await composeEmbeddingService(loadConfig(embeddingServiceConfig, { env }));
    const text = await app.get(Metrics, { strict: false }).render();
    await close();
    for (const reason of ['crash', 'memory'])
      expect(text).toContain(`morgan_embedding_process_restarts_total{model="config",reason="${reason}"} 0`);
    for (const reason of ['queue', 'memory'])
      expect(text).toContain(`morgan_embedding_refused_total{model="config",reason="${reason}"} 0`);
  });
});
