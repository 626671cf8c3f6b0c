import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@morgan/foundation';
import type { ServiceParts } from '@morgan/http-server';
import {
  ADDED_ROUTE,
  collectRoutes,
  pathOf,
  spellingsOf,
  statusesOf,
  type WalkedRoute,
} from '@morgan/testing';
import { composeEmbeddingService } from './compose.ts';
import { embeddingServiceConfig } from './config/embedding-service.config.ts';

const KEY = 'the-only-key';
const STRANGERS = [
  '',
  'authorization: Bearer wrong-key\r\n',
  'x-api-key: wrong-key\r\n',
  `x-api-key: ${KEY}\r\nauthorization: Bearer wrong-key\r\n`,
  'x-http-method-override: GET\r\nx-forwarded-uri: /livez\r\nx-original-url: /livez\r\n',
];

let parts: ServiceParts;
let port: number;
let routes: readonly WalkedRoute[];

async function open(more: Record<string, string>) {
  routes = await collectRoutes(async () => {
    const env = { EMBEDDING_MODEL: import.meta.dirname, LOG_LEVEL: 'silent', API_KEYS: KEY, ...more };
    parts = await composeEmbeddingService(loadConfig(embeddingServiceConfig, { env }));
    await parts.app.listen(0, '127.0.0.1');
  });
  port = Number(new URL(await parts.app.getUrl()).port);
}

async function close() {
  await parts.app.close();
  await parts.close();
}

const guarded = () => routes.filter(({ pattern }) => !['/livez', '/readyz'].includes(pattern));

describe('with API keys, every route of the service', () => {
  beforeAll(() => open({}));
  afterAll(close);

  it('is known to this test', () => {
    const patterns = routes.map(({ pattern }) => pattern);
    expect(patterns).toEqual(
      expect.arrayContaining(['/v1/embeddings', '/v1/models/*', '/docs/*', '/metrics', ADDED_ROUTE]),
    );
  });

  it('refuses a stranger, however its path is spelled', async () => {
    for (const { method, pattern } of [...guarded(), { method: 'GET', pattern: '/no/such/route' }]) {
      for (const asked of new Set([method, 'OPTIONS'])) {
        for (const headers of STRANGERS) {
          const path = pathOf(pattern);
          const targets = headers === '' ? spellingsOf(path) : [path];
          const statuses = await statusesOf(port, asked, targets, headers);
          const through = targets.filter((_, index) => ![400, 401].includes(statuses[index] ?? 0));
          expect([asked, pattern, headers, through]).toEqual([asked, pattern, headers, []]);
        }
      }
    }
  });

  it('lets a caller with the key in', async () => {
    for (const { method, pattern } of guarded()) {
      for (const header of ['authorization: Bearer ', 'x-api-key: ', 'api-key: ']) {
        const targets = [pathOf(pattern), `${pathOf(pattern)}/`, `/${pathOf(pattern)}`];
        const statuses = await statusesOf(port, method, targets, `${header}${KEY}\r\n`);
        expect([method, pattern, statuses.includes(401), new Set(statuses).size]).toEqual([
          method,
          pattern,
          false,
          1,
        ]);
      }
    }
  });

  it('lets probes in without one', async () => {
    const [live, ready] = await statusesOf(port, 'GET', ['/livez', '/readyz'], '');
    expect([live, ready === 401]).toEqual([200, false]);
  });
});

describe('with all endpoints opened', () => {
  beforeAll(() => open({ OPEN_ENDPOINTS: 'metrics,health,docs' }));
  afterAll(close);

  it('exactly these are open', async () => {
    const open = new Set<string>();
    for (const { method, pattern } of routes) {
      const [status] = await statusesOf(port, method, [pathOf(pattern)], '');
      if (status !== 401) open.add(pattern);
    }
    expect([...open].filter((pattern) => !pattern.startsWith('/docs')).sort()).toEqual([
      '/health',
      '/livez',
      '/metrics',
      '/readyz',
    ]);
    expect(open).toContain('/docs/*');
  });
});
