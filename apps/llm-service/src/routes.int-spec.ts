import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@morgan/foundation';
import type { ServiceParts } from '@morgan/http-server';
import { RouteWalk } from '@morgan/testing';
import { composeLlmService } from './compose.ts';
import { llmServiceConfig } from './config/llm-service.config.ts';

const KEY = 'the-only-key';

let parts: ServiceParts;
let walk: RouteWalk;

async function open(more: Record<string, string>, file?: object) {
  walk = await RouteWalk.through(KEY, async () => {
    const env = { LLM_HOSTS: 'one=http://127.0.0.1:9/v1', LOG_LEVEL: 'silent', API_KEYS: KEY, ...more };
    parts = await composeLlmService(loadConfig(llmServiceConfig, { env, file }));
    await parts.app.listen(0, '127.0.0.1');
    return Number(new URL(await parts.app.getUrl()).port);
  });
}

async function close() {
  await parts.app.close();
  await parts.close();
}

describe('with API keys, every route of the service', () => {
  beforeAll(() => open({}));
  afterAll(close);

  it('is known to this test', () => {
    const known = ['/v1/chat/completions', '/v1/models/*', '/docs/*', '/metrics', '/added/by/a/test'];
    expect(walk.patterns).toEqual(expect.arrayContaining(known));
  });

  it('refuses a caller without the key, however its path is spelled', async () => {
    expect(await walk.admittedWithoutKey()).toEqual([]);
  });

  it('lets a caller with the key in', async () => {
    expect(await walk.refusedWithKey()).toEqual([]);
  });

  it('is closed to a caller without a key, but for probes', async () => {
    expect(await walk.openPatterns()).toEqual(['/livez', '/readyz']);
  });
});

describe('with all endpoints opened', () => {
  const extraPaths = ['/livez/extra', '/metrics/extra', '/health/extra'];
  beforeAll(() => open({ OPEN_ENDPOINTS: 'metrics,health,docs' }, { llmService: { extraPaths } }));
  afterAll(close);

  it('exactly these are open, and none that the configuration puts below them', async () => {
    const open = await walk.openPatterns();
    expect(open.filter((pattern) => !pattern.startsWith('/docs'))).toEqual([
      '/health',
      '/livez',
      '/metrics',
      '/readyz',
    ]);
    expect(open).toContain('/docs/*');
  });
});
