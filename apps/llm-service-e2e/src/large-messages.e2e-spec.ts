import { readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { costOf, LocalServer, postJson, type RunningService, startService } from '@morgan/testing';

const COMPLETION = {
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Read.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
};
const MIB = 1024 * 1024;
/** What the manifests give a pod of this service. */
const POD_BYTES = 512 * MIB;

/** The bodies that the host was asked with. It knows chat completions only. */
let asked: Buffer[] = [];
/** What it answers. */
let said = JSON.stringify(COMPLETION);
const host = new LocalServer((request, response) =>
  buffer(request).then((body) => {
    if (request.url === '/v1/responses') return respond(body, response);
    const isChat = request.url === '/v1/chat/completions';
    if (isChat) asked.push(body);
    response.writeHead(isChat ? 200 : 404, { 'content-type': 'application/json' });
    response.end(isChat ? said : JSON.stringify({ error: { message: 'Not Found' } }));
  }),
);
/** Refuses what another host has thought. */
function respond(body: Buffer, response: ServerResponse): void {
  asked.push(body);
  const isForeign = body.includes('"reasoning"');
  const error = {
    message: 'The encrypted content gA==could not be verified.',
    code: 'invalid_encrypted_content',
  };
  response.writeHead(isForeign ? 400 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(isForeign ? { error } : { id: 'r', object: 'response', output: [{}] }));
}
let upstream: string;
let gateway: RunningService;

beforeAll(async () => {
  await host.listen();
  upstream = `one=${host.origin}/v1`;
  gateway = await startService({ app: 'llm-service', env: { LLM_HOSTS: upstream } });
  // The first of them teaches that the host knows no messages.
  expect((await post(message('hello'))).status).toBe(200);
  asked = [];
});
afterEach(() => {
  asked = [];
  said = JSON.stringify(COMPLETION);
});
afterAll(async () => {
  await gateway.stop();
  await host.close();
});

const post = (body: object, path = '/v1/messages', { url } = gateway) => postJson(url + path, body);
const message = (content: unknown, more: object = {}) => ({
  model: 'm',
  max_tokens: 5,
  messages: [{ role: 'user', content }],
  ...more,
});
/** Without pages of files, such as Node's own, which the system may drop. */
const peakBytes = ({ process: { pid } } = gateway) => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kb = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return (kb('VmHWM') - kb('RssFile')) * 1024;
};
const hasThread = ({ process: { pid } }: RunningService) =>
  readdirSync(`/proc/${pid}/task`).some((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').startsWith('WorkerThread'),
  );
const contentsOf = (body: Buffer | undefined) =>
  (JSON.parse(String(body)) as { messages: { content: unknown }[] }).messages.map(({ content }) => content);

describe('a message of megabytes that has to be translated', () => {
  const image = 'A'.repeat(24 * MIB);
  const source = { type: 'base64', media_type: 'image/png', data: image };
  const turns = Array.from({ length: 100_000 }, (_, index) => `number ${index}`);
  it.each<[string, object, readonly unknown[]]>([
    ['of one text', message('wörd "x"\n'.repeat(2_500_000)), ['wörd "x"\n'.repeat(2_500_000)]],
    [
      'of one image',
      message([{ type: 'image', source }]),
      [[{ type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } }]],
    ],
    [
      'of 100,000 turns',
      {
        ...message(''),
        messages: turns.map((content, at) => ({ role: at % 2 ? 'assistant' : 'user', content })),
      },
      turns,
    ],
  ])('%s is translated as any other, and holds up nobody', async (_, body, contents) => {
    const { response, ...cost } = await costOf(gateway, () => post(body));
    expect(await response.json()).toMatchObject({
      type: 'message',
      content: [{ type: 'text', text: 'Read.' }],
    });
    // Not shown where they differ: megabytes.
    expect(isDeepStrictEqual(contentsOf(asked[0]), contents)).toBe(true);
    expect(cost.livezSeconds).toBeLessThan(0.3);
  });

  it('is refused by the name of what has no counterpart', async () => {
    const response = await post(message('x'.repeat(4 * MIB), { container: 'c' }));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.stringContaining("'container'") },
    });
    expect(asked).toHaveLength(0);
  });

  it('beside others of its like gets its own response', async () => {
    const contents = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(2 * MIB));
    const responses = await Promise.all(contents.map((content) => post(message(content))));
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(isDeepStrictEqual(asked.flatMap(contentsOf).sort(), contents)).toBe(true);
  });

  it('in a flood of its like stays within the memory of a pod', async () => {
    const content = 'word '.repeat(6 * MIB);
    const calls = Array.from({ length: 8 }, () => post(message(content)));
    const responses = await Promise.all(calls);
    const statuses = new Set(responses.map(({ status }) => status));
    expect([...statuses].sort()).toEqual([200, 503]);
    for (const { status, headers } of responses)
      if (status === 503) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(peakBytes()).toBeLessThan(POD_BYTES);
  });

  it('has its tokens counted without holding up anybody', async () => {
    const body = message('word '.repeat(5_000_000));
    const { response, ...cost } = await costOf(gateway, () => post(body, '/v1/messages/count_tokens'));
    expect(await response.json()).toEqual({ input_tokens: expect.any(Number) });
    expect(cost.livezSeconds).toBeLessThan(0.3);
  });
});

describe('an answer of megabytes that has to be translated', () => {
  const answer = (told: object) =>
    JSON.stringify({ ...COMPLETION, choices: [{ ...COMPLETION.choices[0], message: told }] });
  const call = (json: string) =>
    answer({ tool_calls: [{ id: 't', function: { name: 'f', arguments: json } }] });
  const text = 'wörd "x"\n'.repeat(2_000_000);
  const numbers = Array.from({ length: 3_000_000 }, (_, index) => index);
  it.each<[string, string, object]>([
    ['of one text', answer({ content: text }), { type: 'text', text }],
    [
      'of three million arguments',
      call(JSON.stringify({ numbers })),
      { type: 'tool_use', id: 't', name: 'f', input: { numbers } },
    ],
  ])('%s is translated as any other, and holds up nobody', async (_, bytes, block) => {
    said = bytes;
    const { response, ...cost } = await costOf(gateway, () => post(message('hello')));
    const { content, ...rest } = (await response.json()) as { content: unknown[] };
    expect(rest).toMatchObject({ type: 'message', usage: { input_tokens: 5, output_tokens: 2 } });
    // Not shown where they differ: megabytes.
    expect(isDeepStrictEqual(content, [block])).toBe(true);
    expect(cost.livezSeconds).toBeLessThan(1);
  });

  it.each<[string, string, string, string]>([
    ['a chat completion', '/v1/chat/completions', '"content":"', 'data: [DONE]\n\n'],
    ['a message', '/v1/messages', '"text_delta","text":"', 'data: {"type":"message_stop"}\n\n'],
  ])('is told as the stream that was asked for, as %s', async (_, path, delta, end) => {
    const content = 'a'.repeat(20 * MIB);
    said = answer({ content });
    const body = { ...message('hello'), stream: true };
    const { response, ...cost } = await costOf(gateway, () => post(body, path));
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const told = await response.text();
    expect(told.includes(`${delta}${content}"`)).toBe(true);
    expect(told.endsWith(end)).toBe(true);
    expect(cost.livezSeconds).toBeLessThan(1);
    said = answer({ content: 'x'.repeat(33 * MIB) });
    const refused = await post(body, path);
    expect(refused.status).toBe(502);
    expect(await refused.text()).toContain(`${32 * MIB} bytes`);
  });

  it.each<[string, string, string]>([
    ['there is no choice in it', JSON.stringify({ choices: [], pad: text }), 'without a choice'],
    [
      'it is nested too deep to be written again',
      call(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)},"b":"${'x'.repeat(MIB)}"}`),
      'too deep',
    ],
    ['it is longer than the limit', answer({ content: 'x'.repeat(33 * MIB) }), `${32 * MIB} bytes`],
  ])('is an error of the host where %s', async (_, bytes, words) => {
    said = bytes;
    const response = await post(message('hello'));
    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({
      type: 'error',
      error: { type: 'api_error', message: expect.stringContaining(words) },
    });
  });

  it('in a flood of its like is read in a thread, within the memory of a pod', async () => {
    await using fresh = await startService({ app: 'llm-service', env: { LLM_HOSTS: upstream } });
    expect((await post(message('hello'), '/v1/messages', fresh)).status).toBe(200);
    expect(hasThread(fresh)).toBe(false);
    said = answer({ content: 'word '.repeat(6 * MIB) });
    const calls = Array.from({ length: 8 }, () => post(message('hello'), '/v1/messages', fresh));
    const responses = await Promise.all(calls);
    expect([...new Set(responses.map(({ status }) => status))].sort()).toEqual([200, 503]);
    expect(hasThread(fresh)).toBe(true);
    await Promise.all(responses.map((response) => response.arrayBuffer()));
    expect(peakBytes(fresh)).toBeLessThan(POD_BYTES);
  });
});

describe('a thread that has no memory for a message', () => {
  it('ends with its call, and the next message gets another one', async () => {
    await using small = await startService({
      app: 'llm-service',
      env: { LLM_HOSTS: upstream, NODE_OPTIONS: '--max-old-space-size=72' },
    });
    expect((await post(message('hello'), '/v1/messages', small)).status).toBe(200);
    const parts = Array.from({ length: 300_000 }, (_, index) => ({ type: 'text', text: `part ${index}` }));
    const response = await post(message(parts), '/v1/messages', small);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'api_error' } });
    expect((await post(message('y'.repeat(MIB)), '/v1/messages', small)).status).toBe(200);
    expect((await fetch(`${small.url}/livez`)).status).toBe(200);
  });
});

describe('a response of megabytes that goes on with what another host has thought', () => {
  it('is asked for without it', async () => {
    const text = 'x'.repeat(4 * MIB);
    const thought = { type: 'reasoning', summary: [], encrypted_content: 'gA==' };
    const { status } = await post(
      { model: 'm', input: [thought, { role: 'user', content: text }] },
      '/v1/responses',
    );
    expect([status, asked.length]).toEqual([200, 2]);
    expect(JSON.parse(String(asked[1]))).toEqual({ model: 'm', input: [{ role: 'user', content: text }] });
  });
});
