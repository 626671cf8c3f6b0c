import type { ServerResponse } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { listen, type LocalServer, postJson, waitFor } from '@morgan/testing';
import { cutEvents, events } from '../../fixture/host-answers.ts';
import { serve, type Served } from '../../fixture/served.ts';

type Script = (response: ServerResponse) => void;
interface Asked {
  readonly max_tokens?: number;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

/** What hosts can do that do not speak Anthropic's API. */
const CHATS = { endpoints: ['/chat/completions'] };
const DONE = 'data: [DONE]\n\n';
const chunk = (choices: object[], more: object = {}) =>
  `data: ${JSON.stringify({ id: 'c', model: 'm', choices, ...more })}\n\n`;
const delta = (value: object, index = 0, finish: string | null = null) =>
  chunk([{ index, delta: value, finish_reason: finish }]);
const text = (content: string, index = 0) => delta({ content }, index);
const stop = (index = 0) => delta({}, index, 'stop');
const usage = (input: number, output: number) =>
  chunk([], { usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output } });

/** Of the two hosts: the first is asked first, the second continues what has begun. */
const hosts: LocalServer[] = [];
const scripts: Script[] = [];
const asked: Asked[][] = [[], []];
const gateways: Served[] = [];

beforeAll(async () => {
  for (const place of [0, 1]) {
    const host = await listen(async (request, response) => {
      const sent = await textOf(request);
      asked[place]?.push(JSON.parse(sent) as Asked);
      scripts[place]?.(response);
    });
    hosts.push(host);
  }
});
beforeEach(() => {
  for (const requests of asked) requests.length = 0;
});
afterEach(async () => {
  jest.restoreAllMocks();
  for (const gateway of gateways.splice(0)) await gateway.close();
});
afterAll(async () => {
  for (const host of hosts) await host.close();
});

async function serviceWith({
  env = {},
  upstream = {},
}: { env?: Record<string, string>; upstream?: object } = {}) {
  const [first, second] = hosts.map(({ origin }) => `${origin}/v1`);
  const gateway = await serve(env, {
    llmService: {
      upstream: {
        hosts: [
          { name: 'first', url: first, probe: false },
          { name: 'second', url: second, probe: false },
        ],
        routes: [
          {
            model: 'm',
            tiers: [[{ host: 'first' }], [{ host: 'second', capabilities: { prefixContinuation: 'vllm' } }]],
          },
          {
            model: 'chats',
            tiers: [
              [{ host: 'first', capabilities: CHATS }],
              [{ host: 'second', capabilities: { ...CHATS, prefixContinuation: 'vllm' } }],
            ],
          },
        ],
        circuitBreaker: { failureThreshold: 1_000 },
        ...upstream,
      },
    },
  });
  gateways.push(gateway);
  const { url, parts } = gateway;
  const call = async (more: object = {}, key = 'no-key-is-needed', path = '/chat/completions') => {
    const response = await postJson(
      `${url}/v1${path}`,
      {
        model: 'm',
        stream: true,
        messages: [{ role: 'user', content: 'hi' }],
        ...more,
      },
      { authorization: `Bearer ${key}` },
    );
    const chunks: Buffer[] = [];
    try {
      for await (const piece of response.body ?? []) chunks.push(Buffer.from(piece as Uint8Array));
    } catch {
      return { status: response.status, text: Buffer.concat(chunks).toString(), broken: true };
    }
    return { status: response.status, text: Buffer.concat(chunks).toString(), broken: false };
  };
  const metric = async (line: string) => {
    const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
    return Number(lines.find((each) => each.startsWith(line))?.slice(line.length) ?? 0);
  };
  return { call, metric, parts, url };
}

const answerOf = (seen: string) =>
  (seen.match(/^data: \{.*$/gm) ?? [])
    .map((line) => JSON.parse(line.slice(6)) as { choices?: { delta?: { content?: string } }[] })
    .map(({ choices }) => choices?.[0]?.delta?.content ?? '')
    .join('');

describe('an answer that another host takes up', () => {
  it('comes out of the budget of further attempts, and of its first', async () => {
    scripts.splice(0, 2, cutEvents(text('One ')), cutEvents(text('two ')));
    const { call, metric } = await serviceWith({
      upstream: { budget: { minPerSecond: 0.3, ratio: 0 } },
    });
    for (let count = 0; count < 6; count += 1) expect((await call()).broken).toBe(true);
    expect([asked[0]?.length, asked[1]?.length]).toEqual([6, 3]);
    const refused = 'morgan_retry_budget_total{client="llm_hosts",kind="fallback",outcome="refused"} ';
    expect(await metric(refused)).toBeGreaterThanOrEqual(3);
  });

  it('has one choice: of several the others would go on with the text of the first', async () => {
    scripts.splice(
      0,
      2,
      cutEvents(text('One ')),
      events(text('two'), text('deux', 1), stop(), stop(1), DONE),
    );
    const { call } = await serviceWith();
    const { text: seen, broken } = await call({ n: 2 });
    expect([broken, asked[1]]).toEqual([true, []]);
    expect(seen).not.toContain('deux');
  });

  it('has no form where its caller says that it may be any text', async () => {
    scripts.splice(0, 2, cutEvents(text('One ')), events(text('two.'), stop(), DONE));
    const { call } = await serviceWith();
    const { text: seen, broken } = await call({ response_format: { type: 'text' } });
    expect([broken, answerOf(seen)]).toEqual([false, 'One two.']);
    expect(await call({ response_format: { type: 'json_object' } })).toMatchObject({ broken: true });
  });

  it('may be over: whoever continues it has nothing to say', async () => {
    scripts.splice(0, 2, cutEvents(text('One.')), events(stop(), usage(12, 0), DONE));
    const { call, metric } = await serviceWith();
    const { text: seen, broken } = await call();
    expect([answerOf(seen), broken, asked[1]?.length]).toEqual(['One.', false, 1]);
    expect(seen.endsWith(DONE)).toBe(true);
    expect(await metric('morgan_llm_host_requests_total{host="second",outcome="ok"} ')).toBe(1);
  });

  it('may take what is left of the length, of which reasoning has its part', async () => {
    const thought = delta({ reasoning_content: 'Hm. ' });
    scripts.splice(
      0,
      2,
      cutEvents(thought, thought, thought, text('One ')),
      events(text('two'), stop(), usage(12, 1), DONE),
    );
    const { call } = await serviceWith();
    const { text: seen } = await call({ max_tokens: 10, stream_options: { include_usage: true } });
    expect(asked[1]?.[0]?.max_tokens).toBe(6);
    // 11 for the prompt and 4 of the first host, 12 and 1 of the second.
    expect(seen).toContain('"usage":{"prompt_tokens":23,"completion_tokens":5,"total_tokens":28}');
  });

  it('is taken from a host that does not stream', async () => {
    const completion = {
      id: 'w',
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'two.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 12, completion_tokens: 1, total_tokens: 13 },
    };
    scripts.splice(0, 2, cutEvents(text('One ')), (response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion)),
    );
    const { call, metric } = await serviceWith();
    const wanted = { stream_options: { include_usage: true } };
    const { text: seen, broken } = await call(wanted, '', '/chat/completions?a=b');
    expect([answerOf(seen), broken, seen.endsWith(DONE)]).toEqual(['One two.', false, true]);
    expect(seen).toContain('"usage":{"prompt_tokens":23,"completion_tokens":2,"total_tokens":25}');
    const output = 'morgan_llm_tokens_total{host="second",route="m",model="m",kind="output"} ';
    expect(await metric(output)).toBe(1);
  });

  it('is no longer than it may be where all of its length was sent', async () => {
    scripts.splice(
      0,
      2,
      cutEvents(text('One '), text('two ')),
      events(text('three'), delta({}, 0, 'length'), DONE),
    );
    const { call } = await serviceWith();
    const { text: seen, broken } = await call({ max_tokens: 2 });
    expect([answerOf(seen), broken, asked[1]?.[0]?.max_tokens]).toEqual(['One two ', false, 1]);
    expect(seen.match(/"finish_reason":"length"/g)).toHaveLength(1);
  });

  it('is told of the host that broke it in the end', async () => {
    scripts.splice(0, 2, cutEvents(text('One ')), cutEvents(text('two ')));
    const { call, parts } = await serviceWith();
    const warn = jest.spyOn(parts.logger, 'warn');
    expect((await call()).broken).toBe(true);
    const told = warn.mock.calls.filter(([, message]) => message === 'a stream was interrupted');
    expect(told.map(([fields]) => (fields as { host: string }).host)).toEqual(['second']);
  });
});

describe('a message whose hosts know chat completions only', () => {
  const eventsIn = (seen: string) =>
    (seen.match(/^data: \{.*$/gm) ?? []).map(
      (line) => JSON.parse(line.slice(6)) as { type: string; index?: number; delta?: { text?: string } },
    );
  const thought = delta({ reasoning_content: 'Hm.' });

  it.each<[string, Script]>([
    ['continued', events(text('two'), stop(), usage(12, 1), DONE)],
    ['begun again', events(thought, text('One two'), stop(), usage(12, 1), DONE)],
  ])('is %s elsewhere, in the same blocks', async (how, second) => {
    const refusal: Script = (response) =>
      void response.writeHead(400).end('{"error":{"message":"no prefix"}}');
    const refuses = how === 'begun again';
    scripts.splice(0, 2, cutEvents(thought, text('One ')), (response) =>
      (refuses && asked[1]?.length === 1 ? refusal : second)(response),
    );
    const { call } = await serviceWith();
    const { text: seen, broken } = await call({ model: 'chats', max_tokens: 99 }, '', '/messages');
    const events = eventsIn(seen);
    expect(broken).toBe(false);
    expect(events.map(({ delta: change }) => change?.text ?? '').join('')).toBe('One two');
    expect(events.map(({ type, index }) => `${type} ${index ?? ''}`.trim())).toEqual([
      'message_start',
      'content_block_start 0',
      'content_block_delta 0',
      'content_block_stop 0',
      'content_block_start 1',
      'content_block_delta 1',
      'content_block_delta 1',
      'content_block_stop 1',
      'message_delta',
      'message_stop',
    ]);
    expect(asked[1]?.[0]?.messages.at(-1)).toEqual({ role: 'assistant', content: 'One ' });
    // Of the second host 12 and 1, of the first a token for each event and a prompt as long as the other's.
    expect(events.at(-2)).toMatchObject({ usage: { output_tokens: 3 } });
  });

  it('breaks where a tool was called', async () => {
    const call_ = delta({ tool_calls: [{ index: 0, id: 't', function: { name: 'f', arguments: '{' } }] });
    scripts.splice(0, 2, cutEvents(text('Let me see. '), call_), events(text('x'), stop(), DONE));
    const { call } = await serviceWith();
    const { text: seen, broken } = await call({ model: 'chats', max_tokens: 99 }, '', '/messages');
    expect([broken, seen.includes('event: error'), asked[1]]).toEqual([true, true, []]);
  });
});

describe('what a stream costs that its host did not count to its end', () => {
  const OUTPUT_OF_FIRST = 'morgan_llm_tokens_total{host="first",route="m",model="m",kind="output"}';
  const KEYS = { API_KEYS: 'first-caller,other-caller', OPEN_ENDPOINTS: 'metrics' };
  const words = Array.from({ length: 100 }, (_, at) => text(`${at} `));

  it.each<[string, Script]>([
    ['breaks', cutEvents(...words)],
    ['is whole', events(...words, stop(), DONE)],
    ['is whole, and was nothing', events(...words, stop(), usage(0, 0), DONE)],
  ])('is its prompt as it was taken for, and a token for each event, where it %s', async (_, script) => {
    scripts.splice(0, 2, script, cutEvents());
    const { call, metric } = await serviceWith({
      env: { ...KEYS, CALLER_TOKENS_PER_MINUTE: '150', STREAM_ON_INTERRUPT: 'error' },
    });
    expect((await call({}, 'first-caller')).status).toBe(200);
    expect(await metric('morgan_llm_tokens_total{host="first",route="m",model="m",kind="output"} ')).toBe(
      100,
    );
    expect((await call({}, 'first-caller')).status).toBe(200);
    expect((await call({}, 'first-caller')).status).toBe(429);
    expect((await call({}, 'other-caller')).status).toBe(200);
  });

  it('is the same where its caller leaves in the middle', async () => {
    let isOver = false;
    scripts.splice(0, 2, (response) => {
      response.once('close', () => (isOver = true));
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(words.join(''));
    });
    const { call, metric, url } = await serviceWith({ env: { ...KEYS, CALLER_TOKENS_PER_MINUTE: '150' } });
    for (let count = 0; count < 2; count += 1) {
      const leaver = new AbortController();
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        signal: leaver.signal,
        headers: { 'content-type': 'application/json', authorization: 'Bearer first-caller' },
        body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] }),
      });
      let seen = '';
      for await (const piece of response.body ?? []) {
        seen += Buffer.from(piece as Uint8Array).toString();
        if (seen.includes('99 ')) break;
      }
      leaver.abort();
      await waitFor(() => isOver, { what: 'the end at the host' });
      isOver = false;
    }
    await waitFor(async () => (await metric(`${OUTPUT_OF_FIRST} `)) === 200, { what: 'the count' });
    expect((await call({}, 'first-caller')).status).toBe(429);
    expect(asked[0]).toHaveLength(2);
  });

  it('is more than a message begins its count with', async () => {
    const named = (json: { type: string } & Record<string, unknown>) =>
      `event: ${json.type}\ndata: ${JSON.stringify(json)}\n\n`;
    const start = named({
      type: 'message_start',
      message: { id: 'x', usage: { input_tokens: 10, output_tokens: 1 } },
    });
    const piece = named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'a ' } });
    scripts.splice(0, 2, cutEvents(start, piece.repeat(100)), cutEvents());
    const { call, metric } = await serviceWith({ env: { ...KEYS, STREAM_ON_INTERRUPT: 'error' } });
    expect((await call({ max_tokens: 999 }, 'first-caller', '/messages')).broken).toBe(true);
    expect(await metric(`${OUTPUT_OF_FIRST} `)).toBe(100);
    expect(await metric(`${OUTPUT_OF_FIRST.replace('output', 'input')} `)).toBe(10);
  });

  it('is nothing where no host has answered, though the stream has begun', async () => {
    scripts.splice(
      0,
      2,
      (response) => void setTimeout(() => response.destroy(), 100),
      (response) => response.destroy(),
    );
    const { call } = await serviceWith({
      env: { ...KEYS, CALLER_TOKENS_PER_MINUTE: '25', STREAM_EARLY_KEEP_ALIVE_MS: '20' },
    });
    for (let count = 0; count < 3; count += 1) {
      const { status, text: seen } = await call({}, 'first-caller');
      expect([status, seen.includes('"error"')]).toEqual([200, true]);
    }
  });
});
