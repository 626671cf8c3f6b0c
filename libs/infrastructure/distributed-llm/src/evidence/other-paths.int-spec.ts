import { afterEach, describe, expect, it } from '@jest/globals';
import type { StreamFault } from '@morgan/llm-protocol';
import { CHAT, ClientBench, entry, send, STREAM } from '../../fixture/client-bench.ts';
import {
  CONTENT_CHUNK,
  events,
  json,
  type Reply,
  ROLE_CHUNK,
  ScriptedHost,
  text,
} from '../../fixture/scripted-host.ts';
import type { Outcome } from './outcome.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const SUBTITLES = { 'content-type': 'application/x-subrip' };

const bench = new ClientBench();
afterEach(() => bench.close());

const counted = (outcome: Outcome) =>
  bench.metric(`morgan_llm_host_requests_total{host="first",outcome="${outcome}"}`);

/** Which of two hosts answers, and what, where the first is asked before the second. */
async function ask(reply: Reply, request: Parameters<typeof send>[1], good: object = { GOOD: true }) {
  await using first = await ScriptedHost.start(reply);
  await using second = await ScriptedHost.start(json(200, good));
  const client = bench.client([entry('first', first.url), entry('second', second.url)], {
    routes: [{ model: CHAT.model, tiers: [[{ host: 'first' }], [{ host: 'second' }]] }],
  });
  const { host, body } = await send(client, request);
  return { host, said: (await body.bytes()).toString() };
}

describe('what is no answer on its path moves the call on:', () => {
  it.each<[string, Reply, Outcome]>([
    ['/../score', text(200, '{"data":[{"index":0,"score":NaN}]}', JSON_TYPE), 'error_in_answer'],
    ['/rerank', json(200, { results: [{ index: 0, relevance_score: null }] }), 'error_in_answer'],
    ['/../rerank', json(200, [{ index: 0, score: null }]), 'error_in_answer'],
    ['/embeddings', json(200, { data: [{ embedding: [0.5, null] }] }), 'error_in_answer'],
    ['/embeddings', json(200, { data: [{ embedding: null }] }), 'error_in_answer'],
    ['/rerank', text(200, 'OK'), 'wrong_type'],
    ['/rerank', text(200, 'OK', { 'content-type': 'application/octet-stream' }), 'wrong_type'],
    ['/moderations', text(200, 'OK'), 'wrong_type'],
    ['/embeddings', text(200, 'OK'), 'wrong_type'],
    ['/images/generations', json(200, { data: [{ b64_json: null, url: '' }] }), 'error_in_answer'],
    ['/images/generations', json(200, { data: [null] }), 'error_in_answer'],
    ['/audio/transcriptions', json(200, { text: null }), 'error_in_answer'],
    ['/audio/transcriptions', json(200, {}), 'error_in_answer'],
    ['/audio/transcriptions', json(200, { id: 'j', status: 'queued' }), 'error_in_answer'],
    ['/images/generations', json(202, { id: 'j', status: 'IN_QUEUE', delayTime: 1 }), 'error_in_answer'],
    ['/rerank', json(200, { status: 'ok', version: '1' }), 'error_in_answer'],
    ['/moderations', json(200, { status: 'UP' }), 'error_in_answer'],
    ['/chat/completions', json(200, { error_code: 50_001, text: 'It broke.' }), 'error_in_answer'],
  ])('%s, case %#', async (path, reply, outcome) => {
    const good = {
      choices: [{ message: {} }],
      results: [{}],
      data: [{ embedding: [1], url: 'u' }],
      text: '',
    };
    expect((await ask(reply, { path }, good)).host).toBe('second');
    expect(Number(await counted(outcome))).toBeGreaterThan(0);
  });

  it.each(['/messages/count_tokens', '/responses/input_tokens'])('%s without a count', async (path) => {
    const count = { input_tokens: 3 };
    for (const nothing of [{}, { input_tokens: null }, { status: 'ok' }])
      expect((await ask(json(200, nothing), { path }, count)).host).toBe('second');
    expect((await ask(json(200, count), { path })).host).toBe('first');
  });
});

describe('an answer is one', () => {
  it.each<[string, Reply, string]>([
    ['/audio/transcriptions', text(200, '', SUBTITLES), ''],
    ['/audio/transcriptions', text(200, '{laughs} Hello.'), '{laughs} Hello.'],
    ['/audio/transcriptions', json(200, { status: 'ok', text: '' }), '{"status":"ok","text":""}'],
    ['/images/generations', json(200, { status: 'ok', image: 'AA' }), '{"status":"ok","image":"AA"}'],
    ['/../rerank', json(200, [{ index: 0, score: 1 }]), '[{"index":0,"score":1}]'],
    [
      '/rerank',
      json(200, { results: [{ score: 1, document: { text: 'The "score": null, NaN' } }] }),
      '{"results":[{"score":1,"document":{"text":"The \\"score\\": null, NaN"}}]}',
    ],
    [
      '/images/generations',
      json(200, { data: [{ url: '', respect_moderation: false }] }),
      '{"data":[{"url":"","respect_moderation":false}]}',
    ],
  ])('on %s, case %#', async (path, reply, said) => {
    expect(await ask(reply, { path })).toEqual({ host: 'first', said });
  });
});

describe('a stream whose events are parts of one thing', () => {
  const [SPEECH, IMAGES] = ['/audio/speech', '/images/generations'];
  const TRANSCRIPTS = '/audio/transcriptions';
  const told = (...types: string[]) => types.map((type) => `data: ${JSON.stringify({ type })}\n\n`).join('');

  const heard = {
    object: 'transcription.chunk',
    choices: [{ delta: { content: 'a' }, finish_reason: 'stop' }],
  };
  const VLLM = `data: ${JSON.stringify(heard)}\n\n`;

  /** How the stream of a sole host ends. */
  async function endOf(
    path: string,
    body: string,
    isCut = false,
  ): Promise<StreamFault | 'whole' | undefined> {
    const cut: Reply = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(body, () => response.destroy());
    };
    await using host = await ScriptedHost.start(isCut ? cut : events(body));
    const { stream } = await send(bench.client([entry('first', host.url)]), { path, body: STREAM });
    const nothing = () => undefined;
    stream?.start({ event: nothing, flush: nothing, ended: nothing, failed: nothing });
    return await stream?.over;
  }

  it.each([
    [TRANSCRIPTS, told('transcript.text.delta')],
    [TRANSCRIPTS, told('transcript.text.delta', 'transcript.text.segment')],
    [TRANSCRIPTS, VLLM],
    [SPEECH, told('speech.audio.delta')],
    [IMAGES, told('image_generation.partial_image')],
    [IMAGES, told('image_generation.completed', 'image_generation.partial_image')],
    ['/images/edits', told('image_edit.partial_image')],
  ])('is broken where it ends without the last of them: %s, %j', async (path, body) => {
    expect(await endOf(path, body)).toMatchObject({ reason: 'unfinished' });
    expect(await counted('interrupted')).toBe('1');
  });

  it.each([
    [TRANSCRIPTS, told('transcript.text.delta', 'transcript.text.done')],
    [TRANSCRIPTS, `${told('transcript.text.delta')}data: [DONE]\n\n`],
    [TRANSCRIPTS, 'data: {"text":"in a form of its own"}\n\n'],
    [TRANSCRIPTS, `${VLLM}data: [DONE]\n\n`],
    [SPEECH, told('speech.audio.delta', 'speech.audio.done')],
    [IMAGES, told('image_generation.completed', 'image_generation.completed')],
  ])('is whole with it, or where nothing says so: %s, %j', async (path, body) => {
    expect(await endOf(path, body)).toBe('whole');
  });

  it.each([
    [SPEECH, told('speech.audio.delta', 'speech.audio.done')],
    [TRANSCRIPTS, told('transcript.text.delta', 'transcript.text.done')],
  ])('is whole with the last of them, whatever happens behind it: %s', async (path, body) => {
    const error = 'data: {"error":{"message":"It broke."}}\n\n';
    expect(await endOf(path, body + error)).toBe('whole');
    expect(await endOf(path, body, true)).toBe('whole');
  });

  it('is an error where its type says so', async () => {
    const event = 'data: {"type":"speech.audio.error","message":"No voice."}\n\n';
    expect((await ask(events(event), { path: SPEECH, body: STREAM })).host).toBe('second');
    expect(await endOf(SPEECH, told('speech.audio.delta') + event)).toMatchObject({
      reported: { message: 'No voice.' },
    });
  });
});

describe('what a worker said went wrong, in the place of its answer', () => {
  const wrong = '{"text":"No worker is there.","error_code":50001}';

  it.each([`data: ${wrong}\n\ndata: [DONE]\n\n`, `${wrong}\n`])('is told of a stream: %j', async (last) => {
    await using host = await ScriptedHost.start(events(ROLE_CHUNK + CONTENT_CHUNK + last));
    const { stream } = await send(bench.client([entry('first', host.url)]), { body: STREAM });
    const nothing = () => undefined;
    stream?.start({ event: nothing, flush: nothing, ended: nothing, failed: nothing });
    expect(await stream?.over).toMatchObject({ reported: { message: 'No worker is there.' } });
  });
});

describe('a refusal in a form that nobody knows', () => {
  const limited = { message: 'Rate limit reached', type: 'tokens', code: 'rate_limit_exceeded' };

  it.each<[number, object, Outcome, string]>([
    [400, { provider: 'p', provider_error: { error: limited } }, 'rate_limited', 'Rate limit reached'],
    [400, { provider_error: { message: 'Input is too long' } }, 'context_too_long', 'Input is too long'],
    [
      400,
      { input_guardrail: [{ flagged: true }], finish_reason: 'stop' },
      'policy_refusal',
      '{"input_guardrail":[{"flagged":true}],\n"finish_reason":"stop"}',
    ],
    [
      400,
      { unit: 'tokens', code_of: 'exceeded' },
      'malformed_request',
      '{"unit":"tokens",\n"code_of":"exceeded"}',
    ],
    [404, { hint: 'n is 0' }, 'path_not_found', 'The host has no POST /chat/completions.'],
    [500, {}, 'server_error', 'The host first answered with status 500.'],
  ])('with a %i is judged by its words, and told: %j', async (status, said, outcome, told) => {
    await using host = await ScriptedHost.start(json(status, said));
    const client = bench.client([entry('first', host.url)], { maxRetryAfterWaitMs: 0 });
    const { body, ...response } = await send(client);
    expect(response.status).toBe(status);
    expect(JSON.parse((await body.bytes()).toString())).toMatchObject({ error: { message: told } });
    expect(Number(await counted(outcome))).toBeGreaterThan(0);
  });
});
