import { describe, expect, it } from '@jest/globals';
import { configurationTable, listSettings, loadConfig } from '@morgan/foundation';
import { docRegion, shownSettings } from '@morgan/testing';
import { llmServiceConfig } from './llm-service.config.ts';

describe('docs/configuration.md', () => {
  it('has exactly the settings of llm-service', () => {
    const table = configurationTable(llmServiceConfig);
    expect(docRegion('docs/configuration.md', 'llm-service', table)).toBe(table);
  });
});

describe('an error of the configuration', () => {
  it('says how to name a host where there is none', () => {
    expect(() => loadConfig(llmServiceConfig, { env: {} })).toThrow('LLM_HOSTS="gpu1=');
  });

  it('keeps the keys of operators and of callers apart', () => {
    const env = { LLM_HOSTS: 'one=http://127.0.0.1:9/v1', API_KEYS: 'first-key,second-key' };
    expect(loadConfig(llmServiceConfig, { env: { ...env, ADMIN_API_KEY: 'third-key' } })).toBeDefined();
    expect(() => loadConfig(llmServiceConfig, { env: { ...env, ADMIN_API_KEY: 'second-key' } })).toThrow(
      'llmService.admin.apiKey: is a key of callers, too',
    );
  });

  it('never shows what a setting was set to', () => {
    const shown = shownSettings(listSettings(llmServiceConfig), (sources) =>
      loadConfig(llmServiceConfig, sources),
    );
    expect(shown).toEqual([]);
  });
});
