import { describe, expect, it } from '@jest/globals';
import type { WholeResponse } from '@morgan/http-client';
import { subjectOf } from './remote-refusal.ts';

/** A refusal as far as it is read. */
const refusal = (status: number, body: object, headers: Record<string, string> = {}) =>
  ({ status, headers, json: () => body, text: () => JSON.stringify(body) }) as unknown as WholeResponse;

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
    ['a fault without words', 503, {}, 'unknown'],
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
    [
      'a text that speaks of accounts',
      400,
      { error: { message: "Input 'your account, the API key expired' is too long" } },
      'inputs',
    ],
  ])('is about %s: %i', (_, status, body, subject) => {
    expect(subjectOf(refusal(status, body))).toBe(subject);
  });
});
