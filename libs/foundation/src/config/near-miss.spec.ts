import { describe, expect, it } from '@jest/globals';
import { nearMiss } from './near-miss.ts';

const NAMES = ['API_KEYS', 'LLM_HOSTS', 'LOG_LEVEL', 'PORT', 'HOST', 'EMBEDDING_URL', 'REDIS_URL'];

describe('a near miss', () => {
  it.each([
    ['API_KEY', 'API_KEYS'],
    ['APIKEYS', 'API_KEYS'],
    ['API_KEYS_FILE', 'API_KEYS'],
    ['LLM_HOST', 'LLM_HOSTS'],
    ['LLM_HSOTS', 'LLM_HOSTS'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['log_level', 'LOG_LEVEL'],
    ['LOG_LEVELL', 'LOG_LEVEL'],
    ['EMBEDING_URL', 'EMBEDDING_URL'],
    ['REDIS_URI', 'REDIS_URL'],
    ['MORGAN_API_KEYS', 'API_KEYS'],
    ['MORGAN_LOG_LEVEL', 'LOG_LEVEL'],
  ])('%s is one of %s', (written, meant) => {
    expect(nearMiss(written, NAMES)).toBe(meant);
  });

  it.each([
    'PATH',
    'HOME',
    'HOSTNAME',
    'HOSTS',
    'LLM_MODEL',
    'LLM_HXXTS',
    'LLM_HSXTS',
    'LLM_HXOTS',
    'OPENAI_API_KEY',
    // What Kubernetes sets beside a Service of that name.
    'MORGAN_PORT',
    'MORGAN_SERVICE_HOST',
    'LOG_LEEVL_X',
    '',
  ])('%s is none', (written) => {
    expect(nearMiss(written, NAMES)).toBeUndefined();
  });
});
