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

  it('is told with all others, also where it is between two settings', () => {
    const env = { PORT: 'x', ADMIN_PORT: '8080', ADMIN_HOST: '0.0.0.0', CALLER_REQUESTS_PER_MINUTE: '5' };
    expect(() => loadConfig(llmServiceConfig, { env })).toThrow(
      /http\.port: [^]*admin\.apiKey: is needed[^]*upstream\.hosts: at least one[^]*callerLimits: callers are told apart/,
    );
  });

  it('keeps the keys of operators and of callers apart', () => {
    const env = { LLM_HOSTS: 'one=http://127.0.0.1:9/v1', API_KEYS: 'first-key,second-key' };
    const third = { ...env, ADMIN_PORT: '0', ADMIN_API_KEY: 'third-key' };
    expect(loadConfig(llmServiceConfig, { env: third })).toBeDefined();
    expect(() => loadConfig(llmServiceConfig, { env: { ...env, ADMIN_API_KEY: 'second-key' } })).toThrow(
      'llmService.admin.apiKey: is a key of callers, too',
    );
  });

  it('keeps the port of operators and of callers apart', () => {
    const load = (env: object) =>
      loadConfig(llmServiceConfig, { env: { LLM_HOSTS: 'one=http://127.0.0.1:9/v1', ...env } });
    expect(() => load({ ADMIN_PORT: '8080' })).toThrow('llmService.admin.port: is the port of callers, too');
    expect(load({ ADMIN_PORT: '0', PORT: '0' })).toBeDefined();
    expect(load({ ADMIN_PORT: '8080', PORT: '8081' })).toBeDefined();
  });

  it.each([
    [{ ADMIN_HOST: '::1' }, 'admin.port'],
    [{ ADMIN_API_KEY: 'third-key' }, 'admin.port'],
    [{ REDIS_COMMAND_TIMEOUT_MS: '20' }, 'redis.url'],
    [{ REDIS_NAMESPACE: 'mine' }, 'redis.url'],
  ])('says that %j does nothing without %s', (env, missing) => {
    const fault = `does nothing without \`llmService.${missing}\``;
    expect(() => loadConfig(llmServiceConfig, { env })).toThrow(fault);
  });

  it('says that a host has a name which embedding-service has already', () => {
    const env = { LLM_HOSTS: 'one=http://127.0.0.1:9/v1,embedding-service=http://127.0.0.1:8/v1' };
    expect(() => loadConfig(llmServiceConfig, { env })).toThrow(
      'llmService.upstream.hosts.1.name: is the name of what EMBEDDING_URL leads to',
    );
  });

  it('says that EMBEDDING_URL is a base URL', () => {
    const env = { LLM_HOSTS: 'one=http://127.0.0.1:9/v1', EMBEDDING_URL: 'http://e:8081/v1/embeddings' };
    expect(() => loadConfig(llmServiceConfig, { env })).toThrow(
      'llmService.embedding.url: is a base URL: leave the endpoint out',
    );
  });

  it('never shows what a setting was set to', () => {
    const shown = shownSettings(listSettings(llmServiceConfig), (sources) =>
      loadConfig(llmServiceConfig, sources),
    );
    expect(shown).toEqual([]);
  });
});
