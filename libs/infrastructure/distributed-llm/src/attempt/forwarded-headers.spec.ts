import { describe, expect, it } from '@jest/globals';
import { headersToHost } from './forwarded-headers.ts';

const KEYLESS = { hasKey: false, ownNames: new Set<string>(), forwarded: new Set<string>() };

describe('headersToHost', () => {
  it('passes on what the API is about', () => {
    const passed = {
      accept: 'text/event-stream',
      'content-type': 'application/json; charset=utf-8',
      'idempotency-key': 'k1',
      'openai-beta': 'assistants=v2',
      'openai-organization': 'org-1',
      traceparent: '00-1-2-01',
      'x-stainless-lang': 'js',
      'x-morgan-via': '0123456789abcdef',
    };
    const agent = { 'user-agent': 'OpenAI/JS 7.57.0' };
    expect(headersToHost({ ...passed, ...agent }, 'id-1', KEYLESS)).toEqual([
      'x-request-id',
      'id-1',
      'accept-encoding',
      'identity',
      ...Object.entries({ ...agent, ...passed }).flat(),
    ]);
  });

  it.each([
    'authorization',
    'proxy-authorization',
    'cookie',
    'x-api-key',
    'cf-access-jwt-assertion',
    'x-forwarded-for',
    'host',
    'connection',
    'keep-alive',
    'content-length',
    'transfer-encoding',
    'expect',
    'upgrade',
    'te',
    'accept-encoding',
    'x-request-id',
    'x-openai-anything',
    'openai-api-key',
    'openai-ephemeral-token',
    'x-stainless-authorization',
  ])('keeps the caller’s %s', (name) => {
    expect(headersToHost({ [name]: 'theirs' }, 'id-1', KEYLESS)).not.toContain('theirs');
  });
});

it('has nothing of a caller that the host is configured with', () => {
  const headers = { 'anthropic-version': 'theirs', 'user-agent': 'a client' };
  const host = { ...KEYLESS, ownNames: new Set(['anthropic-version']) };
  expect(headersToHost(headers, 'id-1', host).slice(4)).toEqual(['user-agent', 'a client']);
});

it.each([{}, { 'user-agent': '' }, { 'user-agent': 'theirs', connection: 'close, user-agent' }])(
  'says what asks where no caller does, as firewalls want to know it: %j',
  (received) => {
    expect(headersToHost(received, 'id-1', KEYLESS).slice(4)).toEqual(['user-agent', 'Morgan']);
    const host = { ...KEYLESS, ownNames: new Set(['user-agent']) };
    expect(headersToHost(received, 'id-1', host).slice(4)).toEqual([]);
  },
);

it('has an idempotency key of its own for each caller, whichever way the key of the caller comes', () => {
  const sent = (headers: Record<string, string>) => {
    const list = headersToHost({ 'idempotency-key': 'order-1', ...headers }, 'id-1', KEYLESS);
    return list[list.indexOf('idempotency-key') + 1];
  };
  const one = sent({ authorization: 'Bearer one' });
  expect(one).toMatch(/^[\da-f]{64}$/);
  expect(sent({ 'x-api-key': 'one' })).toBe(one);
  expect(sent({ 'api-key': 'one', 'idempotency-key': 'order-2' })).not.toBe(one);
  expect(sent({ authorization: 'Bearer two' })).not.toBe(one);
  // What a proxy has put in front of all of them tells nobody apart.
  const proxied = { authorization: 'Basic c2hhcmVk', 'x-api-key': '' };
  expect(sent({ ...proxied, 'x-api-key': 'one' })).toBe(one);
  expect(sent({ ...proxied, 'api-key': 'one' })).toBe(one);
  expect(sent(proxied)).not.toBe('order-1');
});

it('keeps what the connection of the caller names', () => {
  const received = { connection: 'close, user-agent', 'user-agent': 'theirs', accept: '*/*' };
  expect(headersToHost(received, 'id-1', KEYLESS)).not.toContain('theirs');
});

it.each(['openai-organization', 'openai-project'])(
  'keeps the caller’s %s from a host that has a key of ours',
  (name) => {
    expect(headersToHost({ [name]: 'theirs' }, 'id-1', { ...KEYLESS, hasKey: true })).not.toContain('theirs');
    expect(headersToHost({ [name]: 'theirs' }, 'id-1', KEYLESS)).toContain('theirs');
  },
);

it('passes on what the host is to have besides, an account where it is named, and nothing that is about a connection', () => {
  const host = { ...KEYLESS, hasKey: true, forwarded: new Set(['x-tenant', 'x-user', 'openai-project']) };
  const headers = {
    'x-tenant': 't',
    'x-user': 'u',
    'x-team': 'a',
    'openai-project': 'p',
    connection: 'x-user',
  };
  expect(headersToHost(headers, 'id-1', host).slice(6)).toEqual(['x-tenant', 't', 'openai-project', 'p']);
});
