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

const faultsOf = (env: Record<string, string>, file?: object) => {
  try {
    loadConfig(embeddingServiceConfig, { env, file });
  } catch (error) {
    return (error as ConfigError).faults.join('\n');
  }
  return '';
};

describe('a list', () => {
  it.each([
    ['remote.hosts: names a host twice', { EMBEDDING_REMOTE_HOSTS: 'http://h:1/v1,http://h:1/v1/' }],
    ['model.pooling: names a mode twice', { EMBEDDING_POOLING: 'mean,cls,mean' }],
    ['cutDimensions.1: must be a number', { EMBEDDING_CUT_DIMENSIONS: '64,many' }],
  ])('is refused where it %s', (fault, env) => {
    expect(faultsOf({ EMBEDDING_BACKEND: 'auto', ...env })).toContain(`embeddingService.${fault}`);
  });

  it('of numbers has numbers, and texts that mean them', () => {
    const { embeddingService } = loadConfig(embeddingServiceConfig, {
      env: { EMBEDDING_CUT_DIMENSIONS: '64, 32' },
    });
    expect(embeddingService.cutDimensions).toEqual([64, 32]);
    expect(faultsOf({}, { embeddingService: { cutDimensions: [true] } })).toContain('cutDimensions.0: ');
  });
});

describe('a fault between two settings', () => {
  it('is told with one elsewhere', () => {
    expect(faultsOf({ PORT: 'x', EMBEDDING_BACKEND: 'remote' })).toMatch(
      /http\.port: [^]*remote\.hosts: is needed[^]*remote\.model: is needed/,
    );
  });
});

describe('a setting that does nothing without another one', () => {
  it.each([
    [{ CACHE_NAMESPACE: 'mine' }, 'redis.url'],
    [{ CACHE_VECTOR_FORMAT: 'fp16' }, 'redis.url'],
    [{ CACHE_REDIS_TIMEOUT_MS: '50' }, 'redis.url'],
    [{ CACHE_LEASE_MS: '0' }, 'redis.url'],
    [{ REDIS_COMMAND_TIMEOUT_MS: '50' }, 'redis.url'],
    [{ REDIS_NAMESPACE: 'mine' }, 'redis.url'],
    [{ EMBEDDING_FURTHER_IDLE_MS: '0' }, 'further.models'],
    [{ EMBEDDING_REMOTE_API_KEY: 'a-key' }, 'remote.hosts'],
    [{ EMBEDDING_REMOTE_BATCH_SIZE: '8' }, 'remote.hosts'],
    [{ EMBEDDING_REMOTE_MAX_CHARACTERS: '8' }, 'remote.hosts'],
    [{ EMBEDDING_REMOTE_MAX_CONNECTIONS: '8' }, 'remote.hosts'],
    [{ EMBEDDING_REMOTE_FAILURE_THRESHOLD: '8' }, 'remote.hosts'],
    [{ EMBEDDING_REMOTE_REQUESTS_PER_SECOND: '8' }, 'remote.hosts'],
    [{ EMBEDDING_REMOTE_BURST: '8' }, 'remote.hosts'],
  ])('is refused alone, as is %j without %s', (env, missing) => {
    expect(faultsOf(env as Record<string, string>)).toContain(
      `does nothing without \`embeddingService.${missing}\``,
    );
  });
});

describe('a setting of the backend that does not serve', () => {
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
    ['model.revision', { ...REMOTE, EMBEDDING_MODEL_REVISION: 'v1' }],
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
