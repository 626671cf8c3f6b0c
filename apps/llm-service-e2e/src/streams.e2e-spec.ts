import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type FakeLlmHost, type StreamFault, startFakeLlmHost } from '@morgan/fake-llm-host';
import { postJson, type RunningService, startService, waitFor } from '@morgan/testing';

const ANSWER = 'one two three four five six seven eight nine ten';
const CHAT = '/v1/chat/completions';

let broken: FakeLlmHost;
let good: FakeLlmHost;
let gateway: RunningService;

beforeAll(async () => {
  [broken, good] = await Promise.all([
    startFakeLlmHost({ name: 'broken', models: ['alone', 'paired', 'strict', 'continued'], answer: ANSWER }),
    startFakeLlmHost({ name: 'good', models: ['paired', 'continued'], answer: ANSWER }),
  ]);
  const both = [[{ host: 'broken' }], [{ host: 'good' }]];
  gateway = await startService({
    app: 'llm-service',
    env: {
      LLM_HOSTS: `broken=${broken.url},good=${good.url}`,
      LLM_PROBE_INTERVAL_MS: '20',
      STREAM_STALL_TIMEOUT_MS: '300',
      STREAM_EARLY_KEEP_ALIVE_MS: '250',
    },
    config: {
      llmService: {
        upstream: {
          streams: { finishTimeoutMs: 200 },
          circuitBreaker: { failureThreshold: 1_000_000 },
          routes: [
            { model: 'alone', tiers: [[{ host: 'broken' }]] },
            { model: 'paired', tiers: both },
            {
              model: 'continued',
              tiers: [[{ host: 'broken' }], [{ host: 'good', capabilities: { prefixContinuation: 'vllm' } }]],
            },
            { model: 'strict', tiers: both, onInterrupt: 'error' },
          ],
        },
      },
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([broken.close(), good.close()]);
});

// A host whose answers only ever break would be asked last.
beforeEach(async () => {
  await broken.setFault(undefined);
  await chat('alone');
  const isHealthy = async () => {
    const { details } = (await (await fetch(`${gateway.url}/health`)).json()) as {
      details: { llm_hosts: { broken: { state: string } } };
    };
    return details.llm_hosts.broken.state === 'HEALTHY';
  };
  await waitFor(isHealthy, { what: 'a healthy host' });
});

/** What a caller saw: what came, and whether the transfer came to its end. */
interface Seen {
  readonly text: string;
  readonly broken: boolean;
  readonly headers: Headers;
}

async function stream(path: string, body: object): Promise<Seen> {
  const response = await postJson(`${gateway.url}${path}`, { ...body, stream: true });
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>)
      text += decoder.decode(chunk, { stream: true });
  } catch {
    return { text, broken: true, headers: response.headers };
  }
  return { text, broken: false, headers: response.headers };
}

const messages = [{ role: 'user', content: 'count' }];
const chat = (model: string, more: object = {}) => stream(CHAT, { model, messages, ...more });

const fail = (fault: StreamFault) => broken.setFault({ ...fault, times: 1 });

/** The text of a chat stream, from its events. */
function textOf({ text }: Seen): string {
  const data = text.match(/^data: \{.*$/gm) ?? [];
  return data
    .map((line) => JSON.parse(line.slice(6)) as { choices?: { delta?: { content?: string } }[] })
    .map(({ choices }) => choices?.[0]?.delta?.content ?? '')
    .join('');
}

const metric = async (name: string) => {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return text.split('\n').filter((line) => line.startsWith(name));
};

describe('a stream that breaks where nobody else can go on', () => {
  it.each([
    ['cut', { kind: 'cut-in-stream', afterChunks: 4 }],
    ['reset', { kind: 'reset-in-stream', afterChunks: 4 }],
    ['ended early', { kind: 'end-in-stream', afterChunks: 4 }],
    ['silent', { kind: 'stall-in-stream', afterChunks: 4 }],
    ['an error', { kind: 'error-in-stream', afterChunks: 4 }],
    ['reset without framing', { kind: 'reset-in-stream', afterChunks: 4, closeDelimited: true }],
  ] as const)('ends with an error event and a broken transfer: %s', async (_, fault) => {
    await fail(fault);
    const seen = await chat('alone');
    expect(seen.text).toMatch(/data: \{"error":\{[^\n]*"message"/);
    expect([seen.broken, seen.text.includes('[DONE]')]).toEqual([true, false]);
  });

  it('says so in the words of each dialect', async () => {
    await fail({ kind: 'cut-in-stream', afterChunks: 4 });
    const message = await stream('/v1/messages', { model: 'alone', messages, max_tokens: 99 });
    expect(message.text).toContain('event: error\ndata: {"type":"error","error":{');
    expect([message.broken, message.text.includes('message_stop')]).toEqual([true, false]);
    await fail({ kind: 'cut-in-stream', afterChunks: 7 });
    const response = await stream('/v1/responses', { model: 'alone', input: 'count' });
    expect(response.text).toContain('event: error\n');
    expect([response.broken, response.text.includes('response.completed')]).toEqual([true, false]);
    await fail({ kind: 'cut-in-stream', afterChunks: 4 });
    const completion = await stream('/v1/completions', { model: 'alone', prompt: 'count' });
    expect(completion.text).toContain('data: {"error":{');
    expect([completion.broken, completion.text.includes('[DONE]')]).toEqual([true, false]);
  });

  it('shows it to HTTP/1.0 by a reset', async () => {
    await fail({ kind: 'cut-in-stream', afterChunks: 4 });
    const body = JSON.stringify({ model: 'alone', messages, stream: true });
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    let wasReset = false;
    socket.on('error', (error: NodeJS.ErrnoException) => (wasReset = error.code === 'ECONNRESET')).resume();
    socket.write(
      `POST ${CHAT} HTTP/1.0\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await once(socket, 'close').catch(() => undefined);
    expect(wasReset).toBe(true);
  });

  it('is counted by its reason', async () => {
    await fail({ kind: 'end-in-stream', afterChunks: 4 });
    await chat('alone');
    const name = 'morgan_llm_stream_interruptions_total{reason="unfinished"}';
    await waitFor(async () => (await metric(name)).length === 1, { what: name });
  });
});

describe('a stream that breaks where another host can go on', () => {
  it.each([
    ['cut', { kind: 'cut-in-stream', afterChunks: 4 }],
    ['silent', { kind: 'stall-in-stream', afterChunks: 4 }],
    ['ended early', { kind: 'end-in-stream', afterChunks: 4 }],
  ] as const)('is finished there: %s', async (_, fault) => {
    await fail(fault);
    const seen = await chat('paired');
    expect(textOf(seen)).toBe(ANSWER);
    expect([seen.broken, seen.text.trimEnd().endsWith('data: [DONE]')]).toEqual([false, true]);
    expect(seen.text).toContain(': x-morgan-attempts: 2');
    expect(new Set(seen.text.match(/"id":"[^"]*"/g)).size).toBe(1);
  });

  it('is asked for the rest of the text where the other host goes on with one', async () => {
    await fail({ kind: 'cut-in-stream', afterChunks: 4 });
    await chat('continued');
    const body = JSON.parse(good.calls.at(-1)?.body.toString() ?? '') as { messages: unknown[] };
    expect(body).toMatchObject({ continue_final_message: true, stream: true });
    expect(body.messages.at(-1)).toMatchObject({
      role: 'assistant',
      content: expect.stringMatching(/^one two/),
    });
  });

  it('is not finished for a caller who has left', async () => {
    await fail({ kind: 'stall-in-stream', afterChunks: 4 });
    const asked = good.calls.length;
    const caller = new AbortController();
    const response = await fetch(`${gateway.url}${CHAT}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'paired', messages, stream: true }),
      signal: caller.signal,
    });
    await response.body?.getReader().read();
    caller.abort();
    const isOver = async () =>
      (await metric('morgan_llm_host_in_flight')).every((line) => line.endsWith(' 0'));
    await waitFor(isOver, { what: 'the end of the call' });
    expect(good.calls).toHaveLength(asked);
    expect(await metric('morgan_llm_host_requests_total{host="good",outcome="aborted"}')).toEqual([]);
  });

  it('is an error where the route says so, and within structured output', async () => {
    await fail({ kind: 'cut-in-stream', afterChunks: 4 });
    expect((await chat('strict')).broken).toBe(true);
    for (const form of [{ response_format: { type: 'json_object' } }, { guided_json: { type: 'object' } }]) {
      await fail({ kind: 'cut-in-stream', afterChunks: 2 });
      expect((await chat('paired', form)).broken).toBe(true);
    }
  });
});

describe('a stream whose host is slow to begin', () => {
  it('is kept alive before that, and whole after', async () => {
    await broken.setFault({ kind: 'slow', delayMs: 600, times: 1 });
    const seen = await chat('alone');
    expect(seen.text.startsWith(': keep-alive\n\n')).toBe(true);
    expect([textOf(seen), seen.broken]).toEqual([ANSWER, false]);
  });

  it('ends with an error event where it fails after all', async () => {
    await broken.setFault({ kind: 'stall-before-headers' });
    const response = await postJson(
      `${gateway.url}${CHAT}`,
      { model: 'alone', messages, stream: true },
      { 'x-morgan-deadline-ms': '600' },
    );
    let text = '';
    const read = async () => {
      for await (const chunk of response.body as AsyncIterable<Uint8Array>)
        text += String.fromCharCode(...chunk);
    };
    await expect(read()).rejects.toThrow();
    expect(response.status).toBe(200);
    expect(text).toContain('"code":"deadline_exceeded"');
  });
});

describe('a stream that is whole', () => {
  it('gets the end marker that its host left out, and loses the event that nobody can read', async () => {
    await fail({ kind: 'no-end-marker' });
    expect((await chat('alone')).text.trimEnd()).toMatch(/data: \[DONE\]$/);
    await fail({ kind: 'malformed-event', afterChunks: 3 });
    const seen = await chat('alone');
    expect([textOf(seen), seen.broken]).toEqual([ANSWER, false]);
    const name = 'morgan_llm_stream_malformed_events_total{host="broken"}';
    await waitFor(async () => (await metric(name)).length === 1, { what: name });
    expect(seen.text.trimEnd()).toMatch(/: x-morgan-unreadable-events: 1\n\ndata: \[DONE\]$/);
    const requestId = seen.headers.get('x-request-id');
    const isLogged = () =>
      gateway.logs.some((line) => line['requestId'] === requestId && line['unreadableEvents'] === 1);
    await waitFor(isLogged, { what: 'the log line' });
  });

  it('has its counts asked for, and shows them to callers who asked', async () => {
    const silent = await chat('alone');
    expect(broken.calls.at(-1)?.body.toString()).toContain('"include_usage":true');
    expect(silent.text).not.toContain('"prompt_tokens"');
    const asking = await chat('alone', { stream_options: { include_usage: true } });
    expect(asking.text).toContain('"prompt_tokens"');
    const name = 'morgan_llm_tokens_total{host="broken",route="alone",model="alone",kind="output"}';
    const isCounted = async () => Number((await metric(name))[0]?.split(' ')[1]) >= 20;
    await waitFor(isCounted, { what: name });
  });

  it('is asked for without counts of a host that refuses to be asked', async () => {
    const refusal = { error: { message: 'Unknown field: stream_options', type: 'invalid_request_error' } };
    await broken.setFault({ kind: 'status', status: 400, body: JSON.stringify(refusal), times: 1 });
    expect(textOf(await chat('alone'))).toBe(ANSWER);
    await chat('alone');
    expect(broken.calls.at(-1)?.body.toString()).not.toContain('stream_options');
  });
});
