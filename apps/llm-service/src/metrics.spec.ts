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

  it('shows faults that have not come yet as zeros, so that the first one of a kind is a rise', async () => {
    const env = { LLM_HOSTS: 'one=http://127.0.0.1:9/v1', LOG_LEVEL: 'silent' };
    const { app, close } = await composeLlmService(loadConfig(llmServiceConfig, { env }));
    const text = await app.get(Metrics, { strict: false }).render();
    await close();
    expect(text).toContain('morgan_config_reloads_total{outcome="failed"} 0');
    for (const reason of ['calls', 'body_bytes', 'queue_timeout'])
      expect(text).toContain(`morgan_http_refused_total{reason="${reason}"} 0`);
  });
});
