import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Served, serveOver } from '../../fixture/served.ts';

const [ONE, TWO] = ['first-caller', 'second-caller'];
const RESPONSE = { id: 'resp_1', object: 'response', status: 'completed', output: [{ type: 'message' }] };
const QUEUED = { ...RESPONSE, status: 'queued', usage: null };
const USED = { ...RESPONSE, usage: { input_tokens: 30, output_tokens: 70 } };
const sse = (...each: object[]) => each.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');

let gateway: Served;
let origin: string;
let asked: string[];
/** What the host answers as JSON, and as a stream. */
let whole: object;
let streamed: string;

beforeAll(async () => {
  const one: RequestListener = (request, response) => {
    request.resume().once('end', () => {
      if (!request.url?.endsWith('/models')) asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      if (request.headers.accept !== 'text/event-stream')
        return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(whole));
      return response.writeHead(200, { 'content-type': 'text/event-stream' }).end(streamed);
    });
  };
  gateway = await serveOver({ one }, { API_KEYS: `${ONE},${TWO}` });
  origin = gateway.url;
});
beforeEach(() => {
  asked = [];
  whole = RESPONSE;
  streamed = sse({ type: 'response.completed', sequence_number: 0, response: RESPONSE });
});
afterAll(() => gateway.close());

async function call(key: string, method: string, path: string, body?: object) {
  const accept =
    path.includes('stream=true') || (body && 'stream' in body) ? 'text/event-stream' : 'application/json';
  const response = await fetch(origin + path, {
    method,
    headers: { 'x-api-key': key, accept, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  let text = '';
  try {
    const decoder = new TextDecoder();
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>)
      text += decoder.decode(chunk, { stream: true });
  } catch {
    // A stream that breaks has said why.
  }
  return { status: response.status, text };
}

describe('a response that a host keeps for one caller', () => {
  it.each([
    ['whole', { model: 'm', input: 'secret' }],
    ['streamed', { model: 'm', input: 'secret', stream: true }],
  ])('is none for another: %s', async (_, body) => {
    expect((await call(ONE, 'POST', '/v1/responses', body)).status).toBe(200);
    asked = [];
    const goesOn = { model: 'm', input: 'what did I say?', previous_response_id: 'resp_1' };
    const ways = [
      ['GET', '/v1/responses/resp_1'],
      ['GET', '/v1/responses/resp_%31?stream=true'],
      ['GET', '/openai/responses/resp_1/input_items'],
      ['POST', '/openai/v1/responses/resp_1/cancel'],
      ['DELETE', '/v1/responses/resp_1'],
      ['POST', '/v1/responses', goesOn],
      ['POST', '/v1/responses', { ...goesOn, stream: true }],
      ['POST', '/v1/responses/compact', goesOn],
      ['POST', '/v1/responses/input_tokens', goesOn],
    ] as const;
    for (const [method, path, sent] of ways) {
      const { status, text } = await call(TWO, method, path, sent);
      expect([path, status]).toEqual([path, 404]);
      expect(JSON.parse(text)).toMatchObject({ error: { code: 'response_not_found' } });
    }
    expect(asked).toEqual([]);
    for (const [method, path, sent] of ways)
      expect([path, (await call(ONE, method, path, sent)).status]).toEqual([path, 200]);
  });
});

describe('a streamed response that is made in the background', () => {
  const begun = { ...QUEUED, background: true };
  const body = { model: 'm', input: 'x', background: true, stream: true };

  it('has its id at once, so that its caller can come back, and is made once where its stream breaks', async () => {
    streamed = sse({ type: 'response.created', sequence_number: 0, response: begun });
    const { status, text } = await call(ONE, 'POST', '/v1/responses', body);
    expect([status, asked]).toEqual([200, ['POST /v1/responses']]);
    expect(text).toContain('"id":"resp_1"');
    expect(text).toContain('stream_interrupted');
    streamed = sse({ type: 'response.completed', sequence_number: 1, response: USED });
    const path = '/v1/responses/resp_1?stream=true&starting_after=0';
    expect(await call(ONE, 'GET', path)).toEqual({ status: 200, text: streamed });
  });

  it('is over where it is cancelled', async () => {
    const cancelled = { ...begun, status: 'cancelled' };
    streamed = sse(
      { type: 'response.created', sequence_number: 0, response: begun },
      { type: 'response.cancelled', sequence_number: 1, response: cancelled },
    );
    expect(await call(ONE, 'POST', '/v1/responses', body)).toEqual({ status: 200, text: streamed });
  });
});

describe('the tokens of a response that is made in the background', () => {
  const tokens = async () => {
    const { text } = await call(ONE, 'GET', '/metrics');
    const each = text.matchAll(/^morgan_llm_tokens_total\{.*kind="(?:in|out)put".*\} (\d+)$/gm);
    return [...each].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const delta = { type: 'response.output_text.delta', delta: 'Hi', output_index: 0, sequence_number: 1 };
  const fetchStream = async () => {
    const { status, text } = await call(ONE, 'GET', '/v1/responses/resp_1?stream=true');
    expect([status, text.includes('"Hi"')]).toEqual([200, true]);
  };

  it('count once where it is fetched as a stream, and its events never', async () => {
    const before = await tokens();
    whole = QUEUED;
    const made = await call(ONE, 'POST', '/v1/responses', { model: 'm', input: 'x', background: true });
    expect([made.status, await tokens()]).toEqual([200, before]);
    streamed = sse(delta, delta, { type: 'response.cancelled', sequence_number: 2, response: QUEUED });
    await fetchStream();
    streamed = sse(delta, delta, { type: 'response.completed', sequence_number: 2, response: USED });
    for (let count = 0; count < 3; count += 1) await fetchStream();
    whole = USED;
    expect((await call(ONE, 'GET', '/v1/responses/resp_1')).status).toBe(200);
    expect(await tokens()).toBe(before + 100);
  });
});
