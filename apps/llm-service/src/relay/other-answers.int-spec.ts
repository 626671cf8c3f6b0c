import type { RequestListener, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Served, serveOver } from '../../fixture/served.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
/** More than is held of a response. */
const PICTURE = 'A'.repeat(1_500_000);

let gateway: Served;
let origin: string;
let asked: string[];
let answer: (response: ServerResponse, host: string) => void;

beforeAll(async () => {
  const hosts = { one: hostOf('one'), two: hostOf('two') };
  gateway = await serveOver(hosts, { LLM_STRATEGY: 'round_robin' });
  origin = gateway.url;
});
beforeEach(() => {
  asked = [];
});
afterAll(() => gateway.close());

function hostOf(name: string): RequestListener {
  return (request, response) =>
    request.resume().once('end', () => {
      if (request.url?.endsWith('/models')) return response.writeHead(404).end();
      asked.push(`${name} ${request.method ?? ''} ${request.url ?? ''}`);
      return answer(response, name);
    });
}

const answerJson = (body: string) => {
  answer = (response) => response.writeHead(200, JSON_TYPE).end(body);
};

const call = (path: string, body: object | FormData) =>
  fetch(origin + path, {
    method: 'POST',
    ...(body instanceof FormData ? { body } : { body: JSON.stringify(body), headers: JSON_TYPE }),
  });

/** All tokens that hosts have counted so far: of prompts, and of answers. */
async function tokens(): Promise<number[]> {
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  return ['input', 'output'].map((kind) => {
    const each = metrics.matchAll(
      new RegExp(`^morgan_llm_tokens_total\\{.*kind="${kind}".*\\} (\\d+)$`, 'gm'),
    );
    return [...each].reduce((sum, [, count]) => sum + Number(count), 0);
  });
}

async function counted(path: string, body: object): Promise<number[]> {
  const before = await tokens();
  await (await call(path, body)).text();
  return (await tokens()).map((count, at) => count - (before[at] ?? 0));
}

describe('the tokens of a JSON', () => {
  it.each([
    [
      '/v1/images/generations',
      `{"data":[{"b64_json":"${PICTURE}"}],"usage":{"input_tokens":5,"output_tokens":6}}`,
    ],
    [
      '/v1/rerank',
      `{"results":[],"meta":"${PICTURE}","usage":{"prompt_tokens":5,"completion_tokens":6}, "n": 1}`,
    ],
  ])('that is too long to be held are counted: %s', async (path, body) => {
    answerJson(body);
    expect(await counted(path, { model: 'm', prompt: 'x' })).toEqual([5, 6]);
  });

  it('of an image may be there as what was made, and as the sum of nothing else', async () => {
    answerJson('{"data":[{"url":"u"}],"usage":{"generated_images":1,"output_tokens":56,"total_tokens":56}}');
    expect(await counted('/v1/images/generations', { model: 'm', prompt: 'x' })).toEqual([0, 56]);
  });

  it('may be there as their sum alone', async () => {
    answerJson('{"results":[],"usage":{"total_tokens":56}}');
    expect(await counted('/v1/rerank', { model: 'm', query: 'a', documents: ['b'] })).toEqual([56, 0]);
  });
});

describe('a response that holds a picture', () => {
  it.each(['one', 'two'])('is found again at the host that made it: %s, whose turn it is', async (_) => {
    answer = (response, host) =>
      response
        .writeHead(200, JSON_TYPE)
        .end(
          `{"object":"response", "id" : "resp_${host}", "status":"completed","output":[{"result":"${PICTURE}"}],` +
            '"usage":{"input_tokens":5,"output_tokens":6},"metadata":{}}',
        );
    const made = await call('/v1/responses', { model: 'm', input: 'x' });
    await made.text();
    const host = made.headers.get('x-morgan-host') ?? '';
    asked = [];
    const next = await call('/v1/responses', {
      model: 'm',
      input: 'x',
      previous_response_id: `resp_${host}`,
    });
    await next.text();
    expect([next.status, asked]).toEqual([200, [`${host} POST /v1/responses`]]);
  });
});

describe('a response that is deleted', () => {
  it.each([
    [204, {}],
    [200, {}],
    [200, JSON_TYPE],
  ])('may be so without a word: %i %o', async (status, headers) => {
    answerJson('{"id":"resp_gone","object":"response","status":"completed","output":[{}]}');
    await (await call('/v1/responses', { model: 'm', input: 'x' })).text();
    asked = [];
    answer = (response) => response.writeHead(status, headers).end();
    const gone = await fetch(`${origin}/v1/responses/resp_gone`, { method: 'DELETE' });
    expect([gone.status, await gone.text()]).toEqual([status, '']);
    expect(asked).toHaveLength(1);
  });
});

const recording = (more: Record<string, string> = {}) => {
  const fields = new FormData();
  for (const [name, value] of Object.entries({ model: 'm', ...more })) fields.set(name, value);
  fields.set('file', new File(['x'], 'ä.wav'));
  return fields;
};

describe('what no chat is', () => {
  it.each([
    [
      'of an image',
      '/v1/images/generations',
      { model: 'm', prompt: 'x', stream: true },
      '{"data":[{"b64_json":"A"}]}',
    ],
    ['of speech', '/v1/audio/speech', { model: 'm', input: 'x', stream_format: 'sse' }, '{"audio":"A"}'],
    ['of a transcript', '/v1/audio/transcriptions', recording({ stream: 'true' }), '{"text":"hello"}'],
  ])('JSON in the place of a stream is passed on as it is, where it is %s', async (_, path, body, json) => {
    answerJson(json);
    const response = await call(path, body);
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      JSON_TYPE['content-type'],
      json,
    ]);
  });
});

describe('a transcript', () => {
  const HTML = { 'content-type': 'text/html; charset=utf-8' };

  it('is no page of a proxy', async () => {
    const page = '\n<!DOCTYPE html><html><body>Please log in</body></html>';
    answer = (response, host) => response.writeHead(200, HTML).end(host === 'one' ? page : 'hello');
    for (let count = 0; count < 2; count += 1)
      expect(await (await call('/v1/audio/transcriptions', recording())).text()).toBe('hello');
    expect(asked.some((each) => each.startsWith('one'))).toBe(true);
  });

  it.each(['hello', '<i>hello</i>', ''])('is one whatever its type: %j', async (text) => {
    answer = (response) => response.writeHead(200, HTML).end(text);
    const response = await call('/v1/audio/transcriptions', recording());
    expect([response.status, await response.text()]).toEqual([200, text]);
  });
});
