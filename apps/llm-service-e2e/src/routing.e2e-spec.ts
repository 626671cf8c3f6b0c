import { text as textOf } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type FakeLlmHost, startFakeLlmHost } from '@morgan/fake-llm-host';
import {
  listen,
  type LocalServer,
  type LogLine,
  postJson,
  type RunningService,
  startService,
  waitFor,
} from '@morgan/testing';

const ANSWER = 'one two three four five six seven eight nine ten';
const LONG = 'why '.repeat(1_000);
const WITH_USAGE =
  '{"choices":[{"index":0}],"usage":{"prompt_tokens":7,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":3}}}';
const EVENTS =
  'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

let one: FakeLlmHost;
let two: FakeLlmHost;
/** Without a list of models, so that it may have any. */
let open: LocalServer;
let gateway: RunningService;

beforeAll(async () => {
  const models = ['tiny', 'huge', 'listed', 'continued'];
  [one, two] = (await Promise.all(
    ['one', 'two'].map((name) => startFakeLlmHost({ name, models, answer: ANSWER })),
  )) as [FakeLlmHost, FakeLlmHost];
  open = await listen((request, response) => {
    if (request.method === 'GET') return response.writeHead(404).end();
    return textOf(request).then((body) => {
      const isStream = body.includes('"stream":true');
      const type = isStream ? 'text/event-stream' : 'application/json';
      response.writeHead(200, { 'content-type': type, 'x-request-id': 'id-of-open' });
      response.end(isStream ? EVENTS : WITH_USAGE);
    });
  });
  const openUrl = `${open.origin}/v1`;
  const equal = [
    [
      { host: 'one', model: 'tiny' },
      { host: 'two', model: 'tiny' },
    ],
  ];
  const prefixContinuation = 'vllm';
  gateway = await startService({
    app: 'llm-service',
    env: { LLM_HOSTS: `one=${one.url},two=${two.url},open=${openUrl}`, LLM_STRATEGY: 'round_robin' },
    config: {
      llmService: {
        upstream: {
          circuitBreaker: { failureThreshold: 1_000_000 },
          routes: [
            { model: 'chosen', tiers: equal, allowedStrategies: ['session_affinity', 'random'] },
            { model: 'fixed', tiers: equal },
            { model: 'ladder', tiers: [[{ host: 'one', model: 'tiny' }], [{ host: 'two', model: 'huge' }]] },
            {
              model: 'continued',
              tiers: [[{ host: 'one' }], [{ host: 'two', capabilities: { prefixContinuation } }]],
            },
          ],
        },
      },
    },
  });
});

afterAll(async () => {
  await gateway.stop();
  await Promise.all([one.close(), two.close()]);
  await open.close();
});

afterEach(() => Promise.all([one.setFault(undefined), two.setFault(undefined)]));

let calls = 0;

async function ask(body: object, headers: Record<string, string> = {}) {
  const id = `call-${(calls += 1)}`;
  const response = await postJson(
    `${gateway.url}/v1/chat/completions`,
    { messages: [{ role: 'user', content: LONG }], ...body },
    { 'x-request-id': id, ...headers },
  );
  const text = await response.text();
  return { status: response.status, text, id, header: (name: string) => response.headers.get(name) };
}

const errorIn = (text: string) => (JSON.parse(text) as { error: Record<string, unknown> }).error;

async function hostsOf(count: number, ...call: Parameters<typeof ask>) {
  const hosts = new Set<string | null>();
  for (let index = 0; index < count; index += 1) hosts.add((await ask(...call)).header('x-morgan-host'));
  return hosts;
}

const tokens = async (labels: string) => {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`morgan_llm_tokens_total{${labels}}`));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
};

/** The line about a request, once it is written. */
async function lineOf(id: string): Promise<LogLine> {
  const find = () => gateway.logs.find(({ msg, requestId }) => msg === 'request' && requestId === id);
  await waitFor(() => find() !== undefined, { what: `the log line of ${id}` });
  return find() as LogLine;
}

describe('x-morgan-strategy', () => {
  const headers = { 'x-morgan-strategy': 'session_affinity', 'x-session-id': 'a conversation' };

  it('chooses the strategy of one request where the route allows it', async () => {
    expect((await hostsOf(6, { model: 'chosen' }, headers)).size).toBe(1);
    expect((await hostsOf(2, { model: 'chosen' }, { 'x-session-id': 'a conversation' })).size).toBe(2);
  });

  it.each([
    ['that is not allowed here', 'chosen', 'least_loaded', 'strategy_not_allowed'],
    ['where none is allowed', 'fixed', 'session_affinity', 'strategy_not_allowed'],
    ['of a model without a route', 'listed', 'session_affinity', 'strategy_not_allowed'],
    ['that there is not', 'chosen', 'fastest', 'invalid_value'],
    ['without a name', 'chosen', '', 'invalid_value'],
  ])('%s is refused before any host is asked', async (_, model, strategy, code) => {
    const asked = one.calls.length + two.calls.length;
    for (const stream of [false, true]) {
      const { status, text } = await ask({ model, stream }, { 'x-morgan-strategy': strategy });
      expect([status, errorIn(text)]).toEqual([
        400,
        expect.objectContaining({ code, param: 'x-morgan-strategy' }),
      ]);
    }
    expect(one.calls.length + two.calls.length).toBe(asked);
  });
});

describe('an answer', () => {
  it('names host, model and attempts, streamed or not', async () => {
    for (const stream of [false, true]) {
      await one.setFault({ kind: 'status', status: 500 });
      const { status, header } = await ask({ model: 'ladder', stream });
      expect([status, header('x-morgan-host'), header('x-morgan-model')]).toEqual([200, 'two', 'huge']);
      expect(Number(header('x-morgan-attempts'))).toBeGreaterThan(1);
      await one.setFault(undefined);
      const own = await ask({ model: 'ladder', stream });
      expect([own.header('x-morgan-host'), own.header('x-morgan-model')]).toEqual(['one', 'tiny']);
    }
  });

  it('names a model that a header cannot hold in percent-encoding', async () => {
    const { status, header } = await ask({ model: 'größe\u0007' });
    expect([status, header('x-morgan-model')]).toEqual([200, 'gr%C3%B6%C3%9Fe%07']);
  });
});

describe('the log line of a call', () => {
  const made = (host: string, outcome: string) => ({ host, outcome, ms: expect.any(Number) });

  it('has its only attempt', async () => {
    const { id } = await ask({ model: 'continued' });
    expect(await lineOf(id)).toMatchObject({ host: 'one', status: 200, attempts: [made('one', 'ok')] });
  });

  it('has every attempt, also of a call that got no answer', async () => {
    await one.setFault({ kind: 'status', status: 500 });
    const moved = await ask({ model: 'ladder' });
    const [first, second] = [made('one', 'server_error'), made('two', 'ok')];
    expect((await lineOf(moved.id))['attempts']).toEqual([first, first, second]);
    for (const host of [one, two]) await host.setFault({ kind: 'reset-before-headers' });
    const lost = await ask({ model: 'ladder' });
    expect(lost.status).toBe(502);
    expect((await lineOf(lost.id))['attempts']).toEqual(expect.arrayContaining([made('two', 'reset')]));
  });

  it.each([
    ['before it began', { kind: 'stall-before-headers' }, 499],
    ['in the middle of it', { kind: 'stall-in-stream', afterChunks: 2 }, 200],
  ] as const)('says that the caller left a stream %s, not that all was well', async (_, fault, status) => {
    await one.setFault(fault);
    const [id, asked, leaver] = [`left-${status}`, one.calls.length, new AbortController()];
    const answer = fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      signal: leaver.signal,
      headers: { 'content-type': 'application/json', 'x-request-id': id },
      body: JSON.stringify({ model: 'continued', stream: true, messages: [{ role: 'user', content: LONG }] }),
    });
    if (status === 200) await (await answer).body?.getReader().read();
    else await waitFor(() => one.calls.length > asked, { what: 'the call' });
    leaver.abort();
    await answer.catch(() => undefined);
    expect(await lineOf(id)).toMatchObject({ status, aborted: true, attempts: [made('one', 'aborted')] });
  });

  it('has how a stream ended, and who finished it', async () => {
    await one.setFault({ kind: 'reset-in-stream', afterChunks: 4, times: 1 });
    const { id, text } = await ask({ model: 'continued', stream: true });
    expect(text).toContain('[DONE]');
    expect((await lineOf(id))['attempts']).toEqual([made('one', 'interrupted'), made('two', 'ok')]);
  });
});

describe("the host's own id of a request", () => {
  it('is in the response beside the id of the call, and with its attempt in the log line', async () => {
    for (const stream of [false, true]) {
      const { id, header } = await ask({ model: 'unlisted', stream });
      expect([header('x-request-id'), header('x-morgan-upstream-request-id')]).toEqual([id, 'id-of-open']);
      const [attempt] = (await lineOf(id))['attempts'] as object[];
      expect(attempt).toMatchObject({ host: 'open', outcome: 'ok', upstreamRequestId: 'id-of-open' });
    }
  });

  it('of an attempt that failed is in the log line, and in the response where its refusal is', async () => {
    await one.setFault({ kind: 'status', status: 500, headers: { 'x-request-id': 'id-of-one' } });
    const moved = await ask({ model: 'ladder' });
    expect(moved.header('x-morgan-upstream-request-id')).toBeNull();
    const attempts = (await lineOf(moved.id))['attempts'] as { host: string; upstreamRequestId?: string }[];
    expect(attempts.map(({ host, upstreamRequestId }) => [host, upstreamRequestId])).toEqual([
      ['one', 'id-of-one'],
      ['one', 'id-of-one'],
      ['two', undefined],
    ]);
    // Anthropic's name for it, and a character that the header cannot hold as it is.
    await two.setFault({ kind: 'status', status: 503, headers: { 'request-id': 'id of two' } });
    const refused = await ask({ model: 'ladder' });
    expect([refused.status, refused.header('x-morgan-upstream-request-id')]).toEqual([503, 'id%20of%20two']);
  });
});

describe('tokens', () => {
  it('are counted at the host, the route and the model that answered', async () => {
    // Host one failed in half of its calls before, so that it may be asked last.
    const { header } = await ask({ model: 'fixed' });
    const output = `host="${header('x-morgan-host')}",route="fixed",model="tiny",kind="output"`;
    await waitFor(async () => (await tokens(output)) === 10, { what: output });
    const before = (await tokens('host="two",route="ladder",model="huge",kind="output"')) ?? 0;
    await one.setFault({ kind: 'status', status: 500 });
    await ask({ model: 'ladder' });
    await waitFor(
      async () => (await tokens('host="two",route="ladder",model="huge",kind="output"')) === before + 10,
      { what: 'the tokens of the model that answered' },
    );
  });

  it('are counted by their kind', async () => {
    const of = (kind: string) => tokens(`host="open",route="",model="other",kind="${kind}"`);
    const kinds = () => Promise.all(['input', 'output', 'cached_input'].map(of));
    const before = await kinds();
    await ask({ model: 'typed-by-a-caller' });
    const more = (now: (number | undefined)[]) => now.map((count, at) => (count ?? 0) - (before[at] ?? 0));
    await waitFor(async () => more(await kinds()).join() === '7,2,3', { what: 'the tokens of each kind' });
  });

  it('of a model that only a caller names are those of "other"', async () => {
    const other = 'host="open",route="",model="other",kind="output"';
    const names = ['typed-by-a-caller', 'and-another'];
    const before = (await tokens(other)) ?? 0;
    for (const model of names) expect((await ask({ model })).header('x-morgan-model')).toBe(model);
    await waitFor(async () => (await tokens(other)) === before + 2 * names.length, { what: other });
  });

  it('of a stream that another host finished are those of the host that made them', async () => {
    const of = (host: string) => `host="${host}",route="continued",model="continued",kind="output"`;
    const before = [(await tokens(of('one'))) ?? 0, (await tokens(of('two'))) ?? 0] as const;
    await one.setFault({ kind: 'reset-in-stream', afterChunks: 4, times: 1 });
    await ask({ model: 'continued', stream: true });
    await waitFor(async () => ((await tokens(of('two'))) ?? 0) > before[1], { what: of('two') });
    const after = [(await tokens(of('one'))) ?? 0, (await tokens(of('two'))) ?? 0] as const;
    expect(after[0] - before[0]).toBeGreaterThanOrEqual(3);
    expect(after[0] - before[0]).toBeLessThan(10);
    // It was given the beginning, and simulates all of it again.
    expect(after[1] - before[1]).toBe(10);
  });
});
