import { afterEach, describe, expect, it } from '@jest/globals';
import { CHAT, ClientBench, entry, send, STREAM } from '../../fixture/client-bench.ts';
import {
  CONTENT_CHUNK,
  events,
  json,
  refusal,
  type Reply,
  ROLE_CHUNK,
  ScriptedHost,
  text,
} from '../../fixture/scripted-host.ts';
import type { Outcome } from './outcome.ts';

const LONG = 'x'.repeat(200_000);
const IS_JSON = { 'content-type': 'application/json' };
/** What a caller of vLLM sent without its messages, as that quotes it. */
const ECHO = `{'model': 'm', 'prompt': 'Why is the file not found? ${LONG}'}`;
const BODY = Buffer.from(JSON.stringify({ ...CHAT, prompt: `Why is the file not found? ${LONG}` }));

const bench = new ClientBench();
afterEach(() => bench.close());

/** What the caller of two hosts gets of which the first answers so, and whether the second was asked. */
async function ask(reply: Reply, body?: Buffer) {
  await using first = await ScriptedHost.start(reply);
  await using second = await ScriptedHost.start();
  const client = bench.client([entry('first', first.url), entry('second', second.url)]);
  const response = await send(client, body && { body });
  const { status, host } = response;
  const said = (await response.body.bytes()).toString();
  return { status, host, said, asked: [first.asked, second.asked], hosts: client.getStatus().hosts };
}

const counted = (outcome: Outcome) =>
  bench.metric(`morgan_llm_host_requests_total{host="first",outcome="${outcome}"}`);

describe('a refusal that is longer than what is read of it', () => {
  it.each<[string, Reply, string]>([
    [
      'in the envelope',
      json(400, {
        error: {
          message: `1 validation error:\n  {'type': 'missing', 'msg': 'Field required', 'input': ${ECHO}}`,
          type: 'BadRequestError',
          code: 400,
        },
      }),
      '1 validation error:\\n',
    ],
    [
      'without it',
      json(400, { object: 'error', message: `[{'msg': 'Field required', 'input': ${ECHO}}]`, code: 400 }),
      "[{'msg': 'Field required'",
    ],
    [
      'as a list of faults, each with all of the request',
      json(422, { detail: [{ type: 'missing', loc: ['body', 'n'], msg: 'Field required', input: ECHO }] }),
      '"message":"Field required"',
    ],
    [
      'with something behind it',
      text(400, `{"error":{"message":"Field \\"n\\" required"}}\n{"error":null}`, IS_JSON),
      'Field \\"n\\" required',
    ],
  ])('%s goes back with its first words, and nobody else is asked', async (_, reply, says) => {
    const { status, said, asked } = await ask(reply, BODY);
    expect([status, asked]).toEqual([status === 422 ? 422 : 400, [1, 0]]);
    expect(said).toContain(says);
    expect(said.length).toBeLessThan(5_000);
    expect((JSON.parse(said) as { error: object }).error).toMatchObject({ message: expect.any(String) });
    expect(await counted('malformed_request')).toBe('1');
  });

  it('is read no further, and its host is none the worse', async () => {
    const { hosts } = await ask(json(400, { error: { message: LONG.repeat(100) } }));
    expect(hosts[0]).toMatchObject({ failures: 0, rests: [], circuit: { state: 'CLOSED' } });
  });
});

describe('a refusal that quotes the request', () => {
  it('says nothing by the words that it quotes, where it has a good status too', async () => {
    const prompt = 'Say that the API key expired';
    const reply = json(200, { error: { message: `CUDA error at '${prompt}'` } });
    const { asked } = await ask(reply, Buffer.from(JSON.stringify({ ...CHAT, prompt })));
    expect(asked).toEqual([1, 1]);
    expect(await counted('error_in_answer')).toBe('1');
  });

  it('does not say that its host takes no `stream_options`, which are our own words there', async () => {
    await using host = await ScriptedHost.start((response, request, body) => {
      const input = body.replaceAll('"', "'");
      const message = `[{'loc': ('body',), 'msg': "Value error, tools must be set.", 'input': ${input}}]`;
      json(400, { error: { message, type: 'BadRequestError', code: 400 } })(response, request, body);
    });
    const client = bench.client([entry('first', host.url)]);
    for (let call = 0; call < 2; call += 1) {
      const response = await send(client, { body: STREAM, asksUsage: true });
      expect((await response.body.bytes()).toString()).toContain('must be set.');
    }
    expect(host.bodies.map((body) => body.includes('stream_options'))).toEqual([true, true]);
  });
});

it('is asked without `stream_options` where a host refuses them within its stream', async () => {
  const error = 'data: {"error":{"message":"stream_options is not supported","code":400}}\n\n';
  await using host = await ScriptedHost.start((response, request, body) => {
    const isRefused = body.includes('stream_options');
    events(isRefused ? error : ROLE_CHUNK + CONTENT_CHUNK)(response, request, body);
  });
  const client = bench.client([entry('first', host.url)]);
  for (let call = 0; call < 2; call += 1) {
    const { status, body } = await send(client, { body: STREAM, asksUsage: true });
    expect(status).toBe(200);
    body.destroy();
  }
  expect(host.bodies.map((body) => body.includes('stream_options'))).toEqual([true, false, false]);
});

describe('what a host says in words of its own', () => {
  it.each<[string, Reply, Outcome]>([
    [
      'of its account, as a fault of the request',
      refusal(400, 'Billing hard limit has been reached', { code: 'billing_hard_limit_reached' }),
      'quota_exhausted',
    ],
    [
      'of the version that it was set up with',
      refusal(400, 'API version not supported', { code: 'BadRequest' }),
      'conflict',
    ],
    [
      'of another endpoint of its model',
      json(400, {
        object: 'error',
        message: 'The model does not support Chat Completions API',
        type: 'BadRequestError',
        code: 400,
      }),
      'conflict',
    ],
    [
      'of its load, which puts others first',
      refusal(503, 'The request is aborted by a higher priority request.'),
      'overloaded',
    ],
    ['of a model that does not start', refusal(500, 'model name=m failed to load'), 'model_not_found'],
    [
      'of a queue that has taken the call, in place of an answer',
      json(200, { id: 'q1', status: 'IN_QUEUE', delayTime: 1 }),
      'error_in_answer',
    ],
    ['of its health, in place of an answer', json(200, { status: 'ok' }), 'error_in_answer'],
  ])('%s moves the call on', async (_, reply, outcome) => {
    expect(await ask(reply)).toMatchObject({ status: 200, host: 'second', asked: [1, 1] });
    expect(await counted(outcome)).toBe('1');
  });
});

/** Errors of engines that have no envelope in their streams. */
const IN_STREAMS = [
  ['of llama.cpp', 'error: {"code":500,"message":"It broke.","type":"server_error"}'],
  ['with a status', 'data: {"status":500,"message":"It broke."}'],
  ['with a type', 'data: {"message":"It broke.","type":"internal_error"}'],
  ['with a number', 'data: {"code":50500,"message":"It broke.","data":null}'],
  ['of Groq', 'data: {"id":"c1","choices":[],"x_groq":{"id":"r1","error":"It broke."}}'],
] as const;

describe('an error in a stream without an envelope', () => {
  it.each(IN_STREAMS)('%s moves the call on while there is no content', async (_, event) => {
    const reply = events(`${ROLE_CHUNK}${event}\n\ndata: [DONE]\n\n`);
    expect(await ask(reply, STREAM)).toMatchObject({ status: 200, host: 'second', asked: [1, 1] });
  });

  it.each(IN_STREAMS)('%s is no end of an answer, though the end marker follows', async (_, event) => {
    await using host = await ScriptedHost.start(
      events(`${ROLE_CHUNK}${CONTENT_CHUNK}${event}\n\ndata: [DONE]\n\n`),
    );
    const { stream } = await send(bench.client([entry('first', host.url)]), { body: STREAM });
    const nothing = () => undefined;
    stream?.start({ event: nothing, flush: nothing, ended: nothing, failed: nothing });
    expect(await stream?.over).toMatchObject({ reported: { message: 'It broke.' } });
    expect(await counted('interrupted')).toBe('1');
  });
});

describe('an engine that broke and blames the request', () => {
  const broke = {
    message: 'EngineCore encountered an issue. See stack trace (above) for the root cause.',
    type: 'BadRequestError',
    code: 400,
  };
  const first = events(`data: ${JSON.stringify({ error: broke })}\n\ndata: [DONE]\n\n`);

  it.each<[string, Reply, Buffer | undefined]>([
    ['in its first event', first, STREAM],
    ['in its status', json(400, { error: broke }), undefined],
  ])('%s moves the call on', async (_, reply, body) => {
    expect(await ask(reply, body)).toMatchObject({ status: 200, host: 'second', asked: [1, 1] });
    expect(await counted('server_error')).toBe('1');
  });

  it('is no fault of the caller where no other host is left', async () => {
    await using host = await ScriptedHost.start(first);
    const response = await send(bench.client([entry('first', host.url)]), { body: STREAM });
    expect(response.status).toBe(500);
    expect((await response.body.bytes()).toString()).toContain('EngineCore encountered an issue');
  });
});

describe('a stream that was asked for', () => {
  it('is no JSON without an answer, which its clients would take for a whole one', async () => {
    expect(await ask(json(200, { id: 'c1' }), STREAM)).toMatchObject({ status: 200, host: 'second' });
    expect(Number(await counted('error_in_answer'))).toBeGreaterThan(0);
  });
});
