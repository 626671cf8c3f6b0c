import { describe, expect, it } from '@jest/globals';
import { errorIn, type JsonObject } from './reported-error.ts';

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
    ['Ollama', { error: "model 'x' not found" }, { status: undefined, message: "model 'x' not found" }],
    [
      'Responses, event error',
      { type: 'error', code: 'server_error', message: 'oops', param: null, sequence_number: 3 },
      { status: 500, code: 'server_error', message: 'oops' },
    ],
    [
      'Responses, failed',
      {
        type: 'response.failed',
        response: { id: 'r', error: { code: 'rate_limit_exceeded', message: 'slow' } },
      },
      { status: 429, code: 'rate_limit_exceeded', message: 'slow' },
    ],
    ['without a message', { error: { type: 'api_error' } }, { status: 500, message: 'api_error' }],
    ['an empty one', { error: {} }, { message: 'The host reported an error without a message.' }],
  ])('finds the error of %s', (_, json, expected) => {
    expect(errorIn(json)).toMatchObject(expected);
  });

  it.each<[string, JsonObject]>([
    ['a chunk', { id: 'x', object: 'chat.completion.chunk', choices: [] }],
    ['a response that says it has no error', { id: 'x', object: 'response', error: null }],
    ['a response that was completed', { type: 'response.completed', response: { error: null } }],
    ['an empty text', { error: '' }],
    ['an answer with a field detail', { detail: 'high', data: [] }],
  ])('finds none in %s', (_, json) => {
    expect(errorIn(json)).toBeUndefined();
  });
});
