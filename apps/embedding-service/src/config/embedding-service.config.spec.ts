import { describe, expect, it } from '@jest/globals';
import { type ConfigError, configurationTable, listSettings, loadConfig } from '@morgan/foundation';
import { docRegion, shownSettings } from '@morgan/testing';
import { embeddingServiceConfig } from './embedding-service.config.ts';

describe('docs/configuration.md', () => {
  it('has exactly the settings of embedding-service', () => {
    const table = configurationTable(embeddingServiceConfig);
    expect(docRegion('docs/configuration.md', 'embedding-service', table)).toBe(table);
  });
});

describe('an error of the configuration', () => {
  it('never shows what a setting was set to', () => {
    const shown = shownSettings(listSettings(embeddingServiceConfig), (sources) =>
      loadConfig(embeddingServiceConfig, sources),
    );
    expect(shown).toEqual([]);
  });
});

describe('a setting of the backend that does not serve', () => {
  const faultsOf = (env: Record<string, string>) => {
    try {
      loadConfig(embeddingServiceConfig, { env });
    } catch (error) {
      return (error as ConfigError).faults.join('\n');
    }
    return '';
  };
  const REMOTE = {
    EMBEDDING_BACKEND: 'remote',
    EMBEDDING_REMOTE_HOSTS: 'http://host:8000/v1',
    EMBEDDING_REMOTE_MODEL: 'far-away',
    EMBEDDING_REMOTE_DIMENSIONS: '8',
  };

  it.each([
    ['remote.hosts', { EMBEDDING_REMOTE_HOSTS: 'http://host:8000/v1' }],
    ['remote.model', { EMBEDDING_REMOTE_MODEL: 'far-away' }],
    ['remote.dimensions', { EMBEDDING_REMOTE_DIMENSIONS: '8' }],
    ['model.model', { ...REMOTE, EMBEDDING_MODEL: './models/near' }],
    ['model.pooling', { ...REMOTE, EMBEDDING_POOLING: 'cls' }],
    ['model.normalize', { ...REMOTE, EMBEDDING_NORMALIZE: 'false' }],
    ['model.truncateDimensions', { ...REMOTE, EMBEDDING_TRUNCATE_DIMENSIONS: '4' }],
  ])('is refused, as its vectors are not those that callers would get: %s', (setting, env) => {
    expect(faultsOf(env)).toMatch(
      new RegExp(`^embeddingService\\.${setting.replace('.', '\\.')}: is (for|not)`),
    );
  });

  it.each([
    [
      'what both use',
      { ...REMOTE, EMBEDDING_MODEL_NAME: 'mine', EMBEDDING_TRUNCATE: 'false', EMBEDDING_WORKERS: '2' },
    ],
    [
      'what the model in its place uses',
      { ...REMOTE, EMBEDDING_REMOTE_FALLBACK_MODEL: './same', EMBEDDING_POOLING: 'cls' },
    ],
    ['what further models use', { ...REMOTE, EMBEDDING_FURTHER_MODELS: './other', EMBEDDING_POOLING: 'cls' }],
    ['what the default says', { ...REMOTE, EMBEDDING_MODEL: 'bundled' }],
  ])('is none where it is %s', (_, env) => {
    expect(faultsOf(env)).toBe('');
  });
});
