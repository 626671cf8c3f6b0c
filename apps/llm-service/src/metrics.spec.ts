import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@morgan/foundation';
import { Metrics } from '@morgan/telemetry';
import { docRegion } from '@morgan/testing';
import { composeLlmService } from './compose.ts';
import { llmServiceConfig } from './config/llm-service.config.ts';

describe('docs/metrics.md', () => {
  it('has exactly the metrics of llm-service', async () => {
    const env = { LLM_HOSTS: 'one=http://127.0.0.1:9/v1', LOG_LEVEL: 'silent' };
    const { app, close } = await composeLlmService(loadConfig(llmServiceConfig, { env }));
    const table = app.get(Metrics, { strict: false }).describe();
    await close();
    expect(docRegion('docs/metrics.md', 'llm-service', table)).toBe(table);
  });
});
