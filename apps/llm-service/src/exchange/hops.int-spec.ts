import { afterEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@morgan/foundation';
import { freePort, postJson } from '@morgan/testing';
import { composeLlmService, type ReloadableService } from '../compose.ts';
import { llmServiceConfig } from '../config/llm-service.config.ts';

let service: ReloadableService;

afterEach(async () => {
  service.app.getHttpServer().closeAllConnections();
  await service.app.close();
  await service.close();
});

describe('a gateway that is a host of its own', () => {
  it.each([
    ['/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: 'x' }] }],
    ['/v1/chat/completions', { model: 'm', stream: true, messages: [{ role: 'user', content: 'x' }] }],
    ['/v1/embeddings', { model: 'm', input: 'x' }],
  ])('says so after a few turns: %s', async (path, body) => {
    const port = await freePort();
    const own = `http://127.0.0.1:${port}/v1`;
    const env = { LLM_HOSTS: `own=${own}`, EMBEDDING_URL: own, LOG_LEVEL: 'silent' };
    service = await composeLlmService(loadConfig(llmServiceConfig, { env }));
    await service.app.listen(port, '127.0.0.1');
    const response = await postJson(`http://127.0.0.1:${port}${path}`, body);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { code: 'request_loop' } },
    ]);
    const counted = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const answered = new RegExp(
      `^morgan_http_requests_total\\{.*route="${path}",status="400"\\} (\\d+)$`,
      'm',
    );
    expect(Number(answered.exec(counted)?.[1])).toBeLessThanOrEqual(5);
  });
});
