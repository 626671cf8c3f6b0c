import { describe, expect, it } from '@jest/globals';
import type { WholeResponse } from '@morgan/http-client';
import { refusalOf } from './remote-refusal.ts';

/** A refusal as far as it is read; a text is its body as it is. */
const refusal = (status: number, body: object | string, headers: Record<string, string> = {}) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers, body: Buffer.from(text) } as unknown as WholeResponse;
};

describe('a refusal of a host for embeddings', () => {
  it.each<[string, number, object, string]>([
    [
      'an account of DashScope',
      400,
      { error: { code: 'Arrearage', message: 'Access denied, please pay.' } },
      'settings',
    ],
    ['a key of Google', 400, [{ error: { code: 400, message: 'API key expired. Renew it.' } }], 'settings'],
    [
      'a place, as Google says it',
      400,
      [{ error: { message: 'User location is not supported.' } }],
      'settings',
    ],
    [
      'a model of Together',
      400,
      { error: { message: 'Unable to access model x.', code: 'model_not_available' } },
      'settings',
    ],
    [
      'a model of Xinference',
      400,
      { detail: '[address=0.0.0.0:9997, pid=1] Model not found in the model list' },
      'settings',
    ],
    [
      'a model of Cloudflare',
      400,
      { success: false, errors: [{ code: 5007, message: 'AiError: AiError: No such model x' }] },
      'settings',
    ],
    ['a model that LM Studio has let go', 400, { error: 'Model unloaded.' }, 'settings'],
    [
      'a bill of OpenAI',
      400,
      { error: { message: 'Billing hard limit has been reached', code: 'billing_hard_limit_reached' } },
      'settings',
    ],
    [
      'an account of Zhipu',
      429,
      { error: { code: '1113', message: '余额不足或无可用资源包,请充值。' } },
      'settings',
    ],
    [
      'the limit of an account that has not paid, as Voyage says it',
      429,
      { detail: 'You have no payment method in the billing page and reduced rate limits of 3 RPM.' },
      'limit',
    ],
    [
      'the load of Ollama',
      503,
      { error: 'server busy, please try again. maximum pending requests' },
      'limit',
    ],
    ['a start', 503, { error: 'Model x is currently loading' }, 'limit'],
    ['a fault without words', 503, {}, 'host'],
    [
      'too many texts, as DashScope says it',
      400,
      {
        error: {
          code: 'InvalidParameter',
          message: 'batch size is invalid, it should not be larger than 10.',
        },
      },
      'inputs',
    ],
  ])('is about %s: %i', (_, status, body, subject) => {
    expect(refusalOf(refusal(status, body)).subject).toBe(subject);
  });

  /** What the shared judge finds, and what that is where an embedding is asked for. */
  it.each<[number, string, string]>([
    [400, 'The server is busy, please try again later', 'limit'],
    [400, 'ThrottlingException: Rate exceeded', 'limit'],
    [400, 'Your credit balance is too low to access the API.', 'settings'],
    [400, 'You have reached your specified API usage limits.', 'settings'],
    [400, 'The model m has been decommissioned, see the docs', 'settings'],
    [400, 'No route for that URI', 'settings'],
    [500, 'model requires more system memory (5.6 GiB) than is available (2.1 GiB)', 'settings'],
    [403, 'The text was flagged.', 'inputs'],
    [400, 'upstream connect error or disconnect/reset before headers', 'host'],
    [400, 'CUDA error: an illegal memory access was encountered', 'host'],
    [409, 'Not now', 'host'],
    [500, 'failed to encode response: json: unsupported value: NaN', 'values'],
  ])('a %i with %j is about %s', (status, message, subject) => {
    expect(refusalOf(refusal(status, { error: { message } })).subject).toBe(subject);
  });

  it.each<[number, string | object]>([
    [400, 'Too many inputs in request, split into more batches.'],
    [400, 'Too many tokens overall, split into more batches.'],
    [400, 'BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch'],
    [400, 'invalid request: total number of texts must be at most 96 - received 128'],
    [413, { error: 'batch size 64 > maximum allowed batch size 32', error_type: 'Validation' }],
    [413, 'Request body too large for m model. Max size: 8000 tokens.'],
    [413, 'Request too large for m on tokens per minute (TPM): Limit 6000, Requested 7000'],
    [429, 'Request too large for m on tokens per min (TPM): Limit 30, Requested 45'],
  ])('takes a %i with %j for one of too many inputs, of which fewer may fit', (status, said) => {
    const body = typeof said === 'string' ? { error: { message: said } } : said;
    expect(refusalOf(refusal(status, body)).subject).toBe('inputs');
  });

  it('takes a 413 of a proxy for one of too many inputs, and its 400 for a fault of the proxy', () => {
    expect(refusalOf(refusal(413, '<html>413 Request Entity Too Large</html>')).subject).toBe('inputs');
    expect(refusalOf(refusal(400, '<html>400 Bad Request</html>')).subject).toBe('host');
  });

  it.each([
    [404, 'No file found with id f'],
    [415, 'Unsupported media type'],
    [431, 'Request header fields too large'],
  ])('takes a %i for one of what every request has: %s', (status, message) => {
    expect(refusalOf(refusal(status, { error: { message } })).subject).toBe('settings');
  });

  it.each(['your account, the API key expired', 'the llama does not support embeddings', 'server busy'])(
    'takes what it quotes of the inputs for no word of the host: %s',
    (input) => {
      const quoting = () => refusal(400, { error: { message: `Input '${input}' is too long` } });
      const request = Buffer.from(JSON.stringify({ model: 'm', input: [input] }));
      expect(refusalOf(quoting(), request).subject).toBe('inputs');
      expect(refusalOf(quoting()).subject).not.toBe('inputs');
    },
  );

  it('is looked into for 64 KiB at most', () => {
    const after = (bytes: number) => ({ input: 'a'.repeat(bytes), error: { message: 'server busy' } });
    expect(refusalOf(refusal(400, after(65_000))).subject).toBe('limit');
    expect(refusalOf(refusal(400, after(66_000))).subject).not.toBe('limit');
  });

  it('is read once, with the request that it may quote', () => {
    const response = refusal(400, { error: { message: "Input 'server busy' is too long" } });
    const read = refusalOf(response, Buffer.from('{"input":["server busy"]}'));
    expect(refusalOf(response)).toBe(read);
  });
});
