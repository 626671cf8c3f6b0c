import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startFakeLlmHost } from '@morgan/fake-llm-host';
import { listen, type LocalServer, runReadmeExample } from '@morgan/testing';
import { LlmService } from './llm.service.ts';

let server: LocalServer;
let answer: unknown;
let bodies: unknown[];
let service: LlmService;

beforeEach(async () => {
  bodies = [];
  server = await listen((request, response) =>
    text(request).then((body) => {
      if (request.method === 'POST') bodies.push(JSON.parse(body));
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    }),
  );
  service = new LlmService({ hosts: [{ name: 'one', url: `${server.origin}/v1` }], model: 'm' });
});

afterEach(async () => {
  await service.stop();
  await server.close();
});

const generation = (content: string, total_tokens: number) => ({
  choices: [{ message: { role: 'assistant', content } }],
  usage: { total_tokens },
});

describe('the service as a class', () => {
  it('generates a text and counts what it took', async () => {
    answer = generation('Fine.', 7);
    expect(await service.generate({ prompt: 'Hello?', systemPrompt: 'Be brief.', maxTokens: 9 })).toEqual({
      text: 'Fine.',
      model: 'm',
      host: 'one',
      tokens: 7,
    });
    expect(bodies).toEqual([
      {
        model: 'm',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hello?' },
        ],
        max_tokens: 9,
      },
    ]);
    expect(service.getMetrics()).toMatchObject({
      generationCount: 1,
      embeddingCount: 0,
      totalTokensUsed: 7,
      requestCount: 1,
      errorRate: 0,
    });
    expect(service.getMetrics().averageResponseMs).toBeGreaterThan(0);
  });

  it('embeds texts in their order, and takes no vector for another', async () => {
    const vector = (index: number) => ({ index, embedding: [index, 0.5] });
    answer = { data: [vector(1), vector(0)], usage: { total_tokens: 3 } };
    expect(await service.embed(['a', 'b'])).toEqual([
      [0, 0.5],
      [1, 0.5],
    ]);
    answer = { data: [vector(0), vector(0)] };
    await expect(service.embed(['a', 'b'])).rejects.toMatchObject({ code: 'host_error' });
    expect(service.getMetrics()).toMatchObject({
      embeddingCount: 1,
      totalTokensUsed: 3,
      requestCount: 2,
      errorCount: 1,
      errorRate: 0.5,
    });
  });

  it('has an example in its README, which prints what its comments say', async () => {
    const host = await startFakeLlmHost({ answer: 'Fine.' });
    const instead = { 'http://192.168.1.20:8000/v1': host.url };
    const { said, printed } = await runReadmeExample(join(import.meta.dirname, '../../README.md'), instead);
    expect(said).toHaveLength(3);
    expect(printed).toEqual(said);
    await host.close();
  });
});
