import { afterEach, describe, expect, it } from '@jest/globals';
import { type Script, StreamGateway } from '../../fixture/stream-gateway.ts';

const chunk = (delta: object) =>
  `data: ${JSON.stringify({ id: 'c1', model: 'm', choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`;
const ROLE = chunk({ role: 'assistant', content: '' });
const HELLO = chunk({ content: 'Hello' });
const USAGE = `data: {"id":"c1","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":2}}\n\n`;
const DONE = 'data: [DONE]\n\n';

const gateways: StreamGateway[] = [];
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.close();
});

const gatewayTo = (...events: string[]) => gatewayOf(1, ...events);

async function gatewayOf(choices: number, ...events: string[]): Promise<StreamGateway> {
  const script: Script = (response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.join(''));
  const gateway = await StreamGateway.start(script, { choices });
  gateways.push(gateway);
  return gateway;
}

describe('a stream that has an end marker and no reason to stop', () => {
  it.each([
    '{"exception":"CUDA"}',
    '{"internalServerException":{"message":"CUDA"}}',
    '{"modelStreamErrorException":{"originalMessage":"CUDA","message":"CUDA"}}',
    '{"code":"InternalError","message":"CUDA","request_id":"r"}',
    '{"errors":[{"code":"downstream_failed","message":"CUDA"}],"status_code":500}',
    '{"Message":"CUDA"}',
    '"upstream error: CUDA"',
    '[ERROR] CUDA',
    "{'error': {'message': 'CUDA'}}",
  ])('breaks with the words in front of it: %s', async (said) => {
    const gateway = await gatewayTo(ROLE, HELLO, `data: ${said}\n\n`, DONE);
    const { text, broken } = await gateway.read();
    expect(broken).toBe(true);
    expect(text).not.toContain('[DONE]');
    expect(text).toMatch(/data: \{"error":\{"message":"[^"]*CUDA/);
    expect(await gateway.outcome).toMatchObject({ kind: 'failed', fault: { reason: 'host_error' } });
  });

  it('breaks with them where it has not even the marker', async () => {
    const gateway = await gatewayTo(ROLE, HELLO, 'data: {"exception":"CUDA"}\n\n');
    const { text, broken } = await gateway.read();
    expect([text.includes('"message":"CUDA"'), broken]).toEqual([true, true]);
  });

  it.each([
    ['nothing', ''],
    ['a state', 'data: {"type":"status","done":true}\n\n'],
    ['its sources', 'data: {"citations":["https://example.org"]}\n\n'],
    ['its counts', USAGE],
    ['half an event', `${HELLO.slice(0, 30)}\n\n`],
    ['half an event about errors', 'data: {"choices":[{"delta":{"content":"an error\n\n'],
    ['an event of the filter', 'data: {"choices":[],"error":null,"prompt_filter_results":[]}\n\n'],
    ['a text about errors', chunk({ content: '"exception": an error' })],
  ])('is whole with %s in front of it', async (_, between) => {
    const { text, broken } = await (await gatewayTo(ROLE, HELLO, between, DONE)).read();
    expect([text.endsWith(DONE), broken]).toEqual([true, false]);
  });
});

describe('a stream that has neither an end marker nor a reason to stop', () => {
  const cost = 'data: {"choices":[],"cost":"0"}\n\n';

  it('is whole where its counts are the last of it, and its body ends cleanly', async () => {
    const { text, broken } = await (await gatewayTo(ROLE, HELLO, USAGE, cost)).read();
    expect([text, broken]).toEqual([ROLE + HELLO + cost + DONE, false]);
  });

  it.each([
    ['where more of it follows them', [USAGE, HELLO]],
    ['where they are of the prompt', [USAGE.replace(/"completion_tokens":\d+/, '"completion_tokens":0')]],
    ['where an error follows them', [USAGE, 'data: {"exception":"CUDA"}\n\n']],
  ])('is not whole %s', async (_, events) => {
    const gateway = await gatewayTo(ROLE, HELLO, ...events);
    expect(await gateway.read()).toMatchObject({ broken: true });
  });

  it('is not whole where one of its choices has a reason to stop, and the other none', async () => {
    const stop = HELLO.replace('"finish_reason":null', '"finish_reason":"stop"');
    expect(await (await gatewayOf(2, ROLE, HELLO, stop, USAGE)).read()).toMatchObject({ broken: true });
  });
});

it('has no page of a proxy in its middle', async () => {
  const page = 'HTTP/1.1 502 Bad Gateway\r\nserver: proxy\r\n\r\n<html>502 Bad Gateway</html>\n\n';
  const stop = HELLO.replace('"finish_reason":null', '"finish_reason":"stop"');
  const gateway = await gatewayTo(ROLE, HELLO, ': ping\n\n', page, stop, DONE);
  expect(await gateway.read()).toEqual({
    text: [ROLE, HELLO, ': ping\n\n', stop, ': x-morgan-unreadable-events: 2\n\n', DONE].join(''),
    broken: false,
  });
  expect(await gateway.outcome).toMatchObject({ kind: 'complete', malformed: 2 });
});

it.each([
  ['that ends too soon', 1, HELLO.slice(0, 30)],
  ['that its host cuts in two', 2, HELLO.trimEnd().replace('"choices"', '\n\n"choices"')],
])('drops an event that cannot be read, and counts it: one %s', async (_, malformed, event) => {
  const stop = HELLO.replace('"finish_reason":null', '"finish_reason":"stop"');
  // What comes behind the last choice is no part of the answer.
  const gateway = await gatewayTo(ROLE, `${event}\n\n`, stop, 'data: {"id"\n\n', DONE);
  const text = `${ROLE}${stop}: x-morgan-unreadable-events: ${malformed}\n\n${DONE}`;
  expect(await gateway.read()).toEqual({ text, broken: false });
  expect(await gateway.outcome).toMatchObject({ kind: 'complete', malformed });
});

it('has null for a number that JSON has no word for', async () => {
  const hello = HELLO.replace('"finish_reason":null', '"logprobs":[NaN],"finish_reason":"stop"');
  const gateway = await gatewayTo(ROLE, hello, DONE);
  const text = [ROLE, hello.replace('NaN', 'null'), DONE].join('');
  expect(await gateway.read()).toEqual({ text, broken: false });
  expect(await gateway.outcome).toMatchObject({ kind: 'complete', malformed: 0 });
});

it('has the text of an event whose host does not escape control characters', async () => {
  const hello = HELLO.replace('"content":"Hello"', '"content":"\tHello\u0000"');
  expect(hello).not.toBe(HELLO);
  const stop = HELLO.replace('"finish_reason":null', '"finish_reason":"stop"');
  const gateway = await gatewayTo(ROLE, hello, stop, DONE);
  const told = hello.replace('\t', '\\u0009').replace('\u0000', '\\u0000');
  expect(await gateway.read()).toEqual({ text: [ROLE, told, stop, DONE].join(''), broken: false });
  expect(await gateway.outcome).toMatchObject({ kind: 'complete', malformed: 0 });
});
