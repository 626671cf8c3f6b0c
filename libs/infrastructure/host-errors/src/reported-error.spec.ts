import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '@morgan/foundation';
import { isHttpStatus } from './error-status.ts';
import { bareErrorIn, codedErrorIn, errorIn, withTexts } from './reported-error.ts';

describe('errorIn', () => {
  it.each<[string, JsonObject, object]>([
    [
      'OpenAI',
      { error: { message: 'no', type: 'invalid_request_error', param: 'model', code: 'model_not_found' } },
      { status: 404, type: 'invalid_request_error', code: 'model_not_found', message: 'no', param: 'model' },
    ],
    [
      'OpenAI out of quota',
      { error: { message: 'no', type: 'insufficient_quota', param: null, code: 'insufficient_quota' } },
      { status: 429, type: 'insufficient_quota', code: 'insufficient_quota', message: 'no' },
    ],
    [
      'Anthropic',
      { type: 'error', error: { type: 'overloaded_error', message: 'busy' } },
      { status: 529, type: 'overloaded_error', code: undefined, message: 'busy' },
    ],
    [
      'vLLM',
      { object: 'error', message: 'bad', type: 'BadRequestError', param: null, code: 400 },
      { status: 400, type: 'BadRequestError', code: undefined, message: 'bad' },
    ],
    [
      'vLLM in a stream',
      { error: { message: 'bad', type: 'InternalServerError', param: null, code: 500 } },
      { status: 500, type: 'InternalServerError', code: undefined, message: 'bad' },
    ],
    [
      'llama.cpp',
      { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
      { status: 503, type: 'unavailable_error', code: undefined, message: 'Loading model' },
    ],
    ['FastAPI', { detail: 'Not found' }, { message: 'Not found', status: undefined }],
    [
      'FastAPI on a field',
      { detail: [{ loc: ['body', 'model'], msg: 'Field required', type: 'missing' }] },
      { message: 'body.model: Field required' },
    ],
    [
      'text-generation-inference',
      { error: 'Model is overloaded', error_type: 'overloaded' },
      { status: 503, type: 'overloaded', message: 'Model is overloaded' },
    ],
    [
      'Ollama',
      { error: "model 'x' not found" },
      { status: undefined, code: undefined, message: "model 'x' not found" },
    ],
    [
      'Responses, event error',
      { type: 'error', code: 'server_error', message: 'oops', param: null, sequence_number: 3 },
      { status: 500, type: undefined, code: 'server_error', message: 'oops' },
    ],
    [
      'Responses, failed',
      {
        type: 'response.failed',
        response: { id: 'r', error: { code: 'rate_limit_exceeded', message: 'slow' } },
      },
      { status: 429, code: 'rate_limit_exceeded', message: 'slow' },
    ],
    ['a list of them', { error: [{ code: 2008, message: 'no' }], success: false }, { message: 'no' }],
    [
      'a name beside its message',
      { error: 'model_not_found', message: 'no such model' },
      { status: 404, code: 'model_not_found', message: 'no such model' },
    ],
    [
      'a status beside its name',
      { statusCode: 404, message: 'Cannot POST /v1/x', error: 'Not Found' },
      { status: 404, code: undefined, message: 'Cannot POST /v1/x' },
    ],
    [
      'the same under another name',
      { status: 404, message: 'Cannot POST /v1/x', error: 'Not Found' },
      { status: 404, code: undefined, message: 'Cannot POST /v1/x' },
    ],
    [
      'a status that is a text',
      { error: { code: '503', message: 'no' } },
      { status: 503, code: undefined, message: 'no' },
    ],
    ['a name in place of a status', { error: { status: 'RESOURCE_EXHAUSTED' } }, { status: 429 }],
    ['the same under another name', { error: { statusCode: 'unavailable' } }, { status: 503 }],
    [
      'a name as proxies call it',
      { error: { message: 'no', error_code: 'invalid_api_key' } },
      { status: 401, code: 'invalid_api_key' },
    ],
    ['a name alone', { error: { code: 'slow_down' } }, { status: 429, message: 'slow_down' }],
    ['a mark alone', { error: true }, { message: 'The host reported an error without a message.' }],
    [
      'one that has a text, and another within it',
      { error: { message: 'outer', error: { message: 'inner' } } },
      { message: 'outer' },
    ],
    ['FastAPI with an object', { detail: { message: 'no' } }, { message: 'no' }],
    ['FastAPI with an object of another kind', { detail: { left: 5 } }, { message: '{"left":5}' }],
    ['FastAPI with a number', { detail: 5 }, { message: '5' }],
    ['FastAPI on no field', { detail: [{ msg: 'no' }] }, { message: 'no' }],
    ['FastAPI on a field, without a word', { detail: [{ loc: ['n'] }] }, { message: 'n: invalid' }],
    [
      'a message that is an object',
      { object: 'error', message: { detail: [{ loc: ['body', 'n'], msg: 'too small' }] }, type: 'x' },
      { message: 'body.n: too small' },
    ],
    [
      'a choice',
      { choices: [{ index: 0, error: { code: 502, message: 'upstream died' }, finish_reason: 'error' }] },
      { status: 502, message: 'upstream died' },
    ],
    [
      'a choice that broke off',
      { choices: [{ index: 0, delta: {}, finish_reason: 'error' }] },
      { message: 'The answer broke off with the reason "error".' },
    ],
    [
      'a choice whose own host broke off',
      { choices: [{ delta: {}, finish_reason: 'stop', native_finish_reason: 'network_error' }] },
      { message: 'The answer broke off with the reason "network_error".' },
    ],
    [
      'a choice whose router names whose error it is',
      { choices: [{ delta: {}, finish_reason: 'upstream_error' }] },
      { message: 'The answer broke off with the reason "upstream_error".' },
    ],
    [
      'a choice whose reason is an object',
      { choices: [{ message: { content: 'half' }, finish_reason: { type: 'abort', message: 'x' } }] },
      { message: 'The answer broke off with the reason "abort".' },
    ],
    ['without a message', { error: { type: 'api_error' } }, { status: 500, message: 'api_error' }],
    ['an empty one', { error: {} }, { message: 'The host reported an error without a message.' }],
    ['a mark beside its message', { error: true, message: 'no', code: 503 }, { message: 'no', status: 503 }],
    [
      'Google, who says when',
      {
        error: {
          code: 429,
          message: 'no',
          details: [{ '@type': 'Help' }, { '@type': 'RetryInfo', retryDelay: '34.5s' }],
        },
      },
      { status: 429, retryAfterMs: 34_500 },
    ],
    [
      'OpenRouter, who says what its own host said, and when that is reset',
      {
        error: {
          message: 'Provider returned error',
          code: 429,
          metadata: { raw: 'Slow down.', headers: { 'X-RateLimit-Reset': '1741305600000' } },
        },
      },
      {
        status: 429,
        message: 'Provider returned error: Slow down.',
        behind: 'Slow down.',
        headers: { 'x-ratelimit-reset': '1741305600000' },
      },
    ],
    [
      'OpenRouter, whose own host spoke JSON',
      {
        error: {
          message: 'Provider returned error',
          code: 400,
          metadata: { raw: '{"error":{"message":"Too long."}}' },
        },
      },
      { message: 'Provider returned error: Too long.' },
    ],
    [
      'text-generation-inference within a stream',
      { error: { message: 'no', http_status_code: 424 } },
      { status: 424, message: 'no' },
    ],
    [
      'a status around it',
      { status_code: 429, error: { message: 'no', type: 'too_many_requests_error', code: 'queue_exceeded' } },
      { status: 429, code: 'queue_exceeded' },
    ],
    [
      'a name beside its status',
      { error: { message: 'no', type: 'invalid_request_error', code: 'x', status_code: 413 } },
      { status: 413, code: 'x' },
    ],
    [
      'a router, whose own host spoke JSON',
      { error: { message: 'no', code: 400, metadata: { raw: { error: { message: 'behind' } } } } },
      { behind: '{"error":{"message":"behind"}}' },
    ],
    [
      'one within another',
      { error: { error: { message: 'no', code: 500 } } },
      { status: 500, message: 'no' },
    ],
    ['an empty one beside its message', { error: {}, message: 'no' }, { message: 'no' }],
    ['a text under another name', { error: { code: 7, details: 'no' } }, { message: 'no' }],
    [
      'AWS',
      { error: { __type: 'com.amazon#ServiceUnavailableException', message: 'no' } },
      { status: 503, type: 'ServiceUnavailableException' },
    ],
    [
      'a proxy, which says when in a text',
      { error: { message: 'no', retry_after: '12' } },
      { retryAfterMs: 12_000 },
    ],
    [
      'a plan, which says when',
      { error: { message: 'no', resets_in_seconds: 30 } },
      { retryAfterMs: 30_000 },
    ],
    [
      'a plan, which names a moment',
      { error: { message: 'no', resets_at: 1_800_000_000 } },
      { resetsAtMs: 1_800_000_000_000 },
    ],
    [
      'a plan, which names it as a date',
      { error: { message: 'no', resets_at: '2027-01-15T17:00:00+09:00' } },
      { resetsAtMs: 1_800_000_000_000 },
    ],
    [
      'a plan, which names it in milliseconds',
      { error: { message: 'no', reset_at: 1_800_000_000_123 } },
      { resetsAtMs: 1_800_000_000_123 },
    ],
    [
      'a proxy, which says it in milliseconds',
      { error: { message: 'no', retry_after_ms: 250 } },
      { retryAfterMs: 250 },
    ],
    [
      'a choice that was given up',
      { choices: [{ delta: {}, finish_reason: 'TIMEOUT' }] },
      { message: 'The answer broke off with the reason "TIMEOUT".' },
    ],
    [
      'a gateway, which says when beside it',
      { error: { message: 'no' }, retry_after: 3 },
      { retryAfterMs: 3_000 },
    ],
    [
      'KoboldCpp',
      { detail: { msg: 'Server is busy.', type: 'service_unavailable' } },
      { message: 'Server is busy.' },
    ],
    ['DeepInfra', { detail: { error: 'Model busy' } }, { message: 'Model busy' }],
    ['TabbyAPI', { detail: { error: { message: 'No models.', trace: null } } }, { message: 'No models.' }],
    ['one that spells it so', { error: { message: 'no', retryAfterSeconds: 3 } }, { retryAfterMs: 3_000 }],
    ['a proxy, which says when', { error: { message: 'no', retry_after: 12 } }, { retryAfterMs: 12_000 }],
    [
      'Hugging Face while it loads',
      { error: 'Model m is currently loading', estimated_time: 20.5 },
      { message: 'Model m is currently loading', retryAfterMs: 20_500 },
    ],
  ])('finds the error of %s', (_, json, expected) => {
    expect(errorIn(json)).toMatchObject(expected);
  });

  it.each<[string, JsonObject]>([
    ['a chunk', { id: 'x', object: 'chat.completion.chunk', choices: [] }],
    ['a response that says it has no error', { id: 'x', object: 'response', error: null }],
    ['a response that was completed', { type: 'response.completed', response: { error: null } }],
    ['a job that says it has no error', { id: 'j', error: { code: null, message: null, param: null } }],
    ['a choice without an error', { choices: [{ error: null, finish_reason: 'stop' }, null] }],
    ['an empty text', { error: '' }],
    ['an answer with the shell of one', { choices: [{ error: {} }], error: { code: 0, message: '' } }],
    ['an answer with an empty one', { choices: [{}], error: {} }],
    ['an answer with a field detail', { detail: 'high', data: [] }],
    ['a failed response without one', { type: 'response.failed' }],
    [
      'an event of a response that goes on',
      { type: 'response.created', response: { error: { message: 'x' } } },
    ],
    ['what Groq says beside its answer', { x_groq: { id: 'r' } }],
  ])('finds none in %s', (_, json) => {
    expect(errorIn(json)).toBeUndefined();
  });
});

it.each([
  [399, false],
  [400, true],
  [400.5, false],
  [599, true],
  [600, false],
])('%d is the status of an error: %p', (value, isOne) => expect(isHttpStatus(value)).toBe(isOne));

it('names no field by anything but a text', () => {
  expect(errorIn({ error: { message: 'no', param: 5 } })).not.toHaveProperty('param');
});

it('changes every text of an error, and none that it does not have', () => {
  const error = { status: 400, message: 'm', type: 't', code: undefined, param: 'p' };
  expect(withTexts(error, (text) => `<${text}>`)).toEqual({
    ...error,
    message: '<m>',
    type: '<t>',
    param: '<p>',
  });
});

describe('bareErrorIn', () => {
  it.each<[JsonObject, object]>([
    [
      { code: 20012, message: 'Model does not exist.', data: null },
      { message: 'Model does not exist.', status: undefined },
    ],
    [{ error_code: 17, error_msg: 'daily limit reached' }, { message: 'daily limit reached' }],
    [{ base_resp: { status_code: 1008, status_msg: 'no balance' } }, { message: 'no balance' }],
    [{ errors: [{ code: 5007, message: 'No such model' }], success: false }, { message: 'No such model' }],
    [
      { status: 404, title: 'Not Found', detail: 'Function f' },
      { message: 'Function f', status: 404 },
    ],
    [{ code: 5, message: 'No.', base_resp: { status_code: 0, status_msg: 'success' } }, { message: 'No.' }],
    [{ Message: 'User u is not authorized' }, { message: 'User u is not authorized' }],
    [{ errors: ['no such thing'] }, { message: 'no such thing' }],
    [
      { detail: [{ loc: ['body', 'n'], msg: 'too small' }], body: { n: 0, messages: [] } },
      { message: 'body.n: too small' },
    ],
    [{ fault: { faultstring: 'Quota', detail: { errorcode: 'x' } } }, { message: 'Quota' }],
    [
      { statusCode: 429, message: 'Slow down' },
      { message: 'Slow down', status: 429 },
    ],
  ])('finds the text of %j', (json, expected) => {
    expect(bareErrorIn(json)).toMatchObject(expected);
  });

  it.each<[string, JsonObject, string | undefined]>([
    ['a code', { code: 20012, message: 'No such model.', data: null }, 'No such model.'],
    ['a name', { code: 'InvalidApiKey', message: 'Invalid key.', request_id: 'r' }, 'Invalid key.'],
    ['a state', { status: 'error', message: 'Busy.' }, 'Busy.'],
    ['a status', { statusCode: 503, message: 'Down.' }, 'Down.'],
    ['a refusal', { success: false, errors: [{ code: 7, message: 'No.' }] }, 'No.'],
    ['a base', { vectors: null, base_resp: { status_code: 1008, status_msg: 'No money.' } }, 'No money.'],
    ['success', { code: 'Success', message: 'done' }, undefined],
    ['an answer', { code: 7, message: 'done', data: [1] }, undefined],
    ['an answer that is an object', { code: 7, message: 'done', data: { a: 1 } }, undefined],
    ['a code beside an empty list', { code: 7, message: 'No.', data: [] }, 'No.'],
    ['a code of success', { code: 0, message: 'done' }, undefined],
    ['a text', { message: 'pong' }, undefined],
    ['a text beside a base that is well', { message: 'pong', base_resp: { status_code: 0 } }, undefined],
    ['a good state', { status: 'ok', message: 'pong' }, undefined],
    ['a job', { id: 'j', status: 'failed', message: 'It took too long.' }, undefined],
    ['a base that is well', { base_resp: { status_code: 0, status_msg: 'success' } }, undefined],
  ])('is not taken for one where anything may be an answer unless it says so: %s', (_, json, message) => {
    expect(codedErrorIn(json)?.message).toBe(message);
  });

  it('is not what a model said in an API of another kind', () => {
    expect(bareErrorIn({ message: { role: 'assistant', content: 'Hi' }, done: true })).toBeUndefined();
  });

  it.each<[JsonObject]>([
    [{ ok: true, message: '', errors: [] }],
    [{ code: 200, msg: 'success', data: {} }],
    [{ error_code: 0, error_msg: 'done' }],
    [{ success: true, message: 'done' }],
    [{ detail: ['high'], data: [] }],
  ])('finds none in %j', (json) => expect(bareErrorIn(json)).toBeUndefined());
});
