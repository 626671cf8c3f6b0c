import { describe, expect, it } from '@jest/globals';
import { timedOnThread } from '@morgan/testing';
import { outcomeOfRefusal } from './refusal-outcome.ts';

const refusal = (status: number, message: string, code?: string) => ({
  status,
  error: { message, code, type: undefined, status: undefined },
  isJson: true,
  saysWhen: false,
});

describe('outcomeOfRefusal', () => {
  it.each([
    [400, 'upstream_error', 'conflict'],
    [400, 'bad_response_status_code', 'conflict'],
    [400, 'tool_use_failed', 'conflict'],
    [400, 'json_validate_failed', 'conflict'],
    [403, 'billing_not_active', 'quota_exhausted'],
    [400, 'internal_server_error', 'conflict'],
    [400, 'InternalError.Algo.InvalidParameter', 'malformed_request'],
    [401, 'invalid_model', 'model_not_found'],
    [404, 'url.not_found', 'path_not_found'],
    [500, 'model_not_found', 'model_not_found'],
    [503, 'insufficient_user_quota', 'quota_exhausted'],
    [500, 'content_filter', 'policy_refusal'],
    [400, 'prohibited_content', 'policy_refusal'],
  ] as const)('goes by the name of a %i that is called %s: %s', (status, code, outcome) => {
    expect(outcomeOfRefusal(refusal(status, 'no', code))).toBe(outcome);
  });

  it.each([
    [500, 429, 'rate_limited'],
    [502, 402, 'quota_exhausted'],
    [500, 401, 'credentials_rejected'],
    [503, 404, 'path_not_found'],
    [500, 400, 'server_error'],
    [400, 503, 'server_error'],
    [400, 529, 'overloaded'],
    [400, 500, 'malformed_request'],
    [429, 503, 'rate_limited'],
  ] as const)('believes a %i whose body has the status %i: %s', (status, inner, outcome) => {
    const { error, ...rest } = refusal(status, 'Not found');
    expect(outcomeOfRefusal({ ...rest, error: { ...error, status: inner } })).toBe(outcome);
  });

  it('reads what a router was told by its own host', () => {
    const { error, ...rest } = refusal(400, 'Provider returned error');
    const told = (behind: string) => outcomeOfRefusal({ ...rest, error: { ...error, behind } });
    expect(told('{"error":{"message":"Incorrect API key provided"}}')).toBe('credentials_rejected');
    expect(told("This model's maximum context length is 10 tokens.")).toBe('context_too_long');
    expect(told('supports at most 1 image per prompt')).toBe('malformed_request');
  });

  it.each([
    [400, "[{'type': 'missing', 'loc': ('body', 'messages'), 'msg': 'Field required', 'input': ECHO}]"],
    [400, "1 validation error:\n  {'msg': \"Input should be 'user'\", 'input': ECHO}"],
    [400, 'Failed to parse tools: Missing name; tools = [ { "x": ECHO } ]'],
    [422, '1 validation error for Request\nmessages\n  Field required [type=missing, input_value=ECHO]'],
  ])(
    'takes what a validator of Python quotes of a request for no word of the host: %i, %j',
    (status, form) => {
      const echo = "{'model': 'm', 'prompt': 'Why is the file not found? My credit balance is too low.'}";
      const request = Buffer.from(echo.replaceAll("'", '"'));
      const said = refusal(status, form.replace('ECHO', echo));
      expect(outcomeOfRefusal({ ...said, request })).toBe('malformed_request');
    },
  );

  it('takes what llama.cpp quotes of a conversation for no word of its own', () => {
    const quoted = '[ { "content": "It said: error loading model, the server is overloaded" } ]';
    const said = refusal(500, `Failed to parse messages: Missing role; messages = ${quoted}`);
    expect(outcomeOfRefusal(said)).toBe('server_error');
  });

  it.each([
    'quota exhausted',
    'quota exceeded',
    'API key "k" is invalid',
    'model m not found',
    'overdue',
    'maximum context length',
    'CUDA error',
    'please wait, rate limit exceeded',
  ])('takes %j for no word of the host where the request says so', (said) => {
    const request = Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: `Why ${said}?` }] }));
    const quoted = refusal(400, `messages.0: Input should be valid, input: 'Why ${said}?'`);
    expect(outcomeOfRefusal({ ...quoted, request })).toBe('malformed_request');
    expect(outcomeOfRefusal(quoted)).not.toBe('malformed_request');
    const own = refusal(400, 'Your credit balance is too low.');
    expect(outcomeOfRefusal({ ...own, request })).toBe('quota_exhausted');
  });

  it.each([400, 413, 414, 431])('takes a %i that is no JSON for one of a proxy', (status) => {
    const text = refusal(status, 'Client sent an HTTP request to an HTTPS server.');
    expect(outcomeOfRefusal({ ...text, isJson: false })).toBe('conflict');
    expect(outcomeOfRefusal({ ...text, error: undefined, isJson: false })).toBe('conflict');
    expect(outcomeOfRefusal(text)).toBe('malformed_request');
  });

  it('takes a 403 without a word for that of a firewall, and a 401 for one of the host', () => {
    const page = { error: undefined, isJson: false, saysWhen: false };
    expect(outcomeOfRefusal({ status: 403, ...page })).toBe('server_error');
    expect(outcomeOfRefusal({ status: 401, ...page })).toBe('credentials_rejected');
    const number = { ...refusal(403, 'error code: 1010'), isJson: false };
    expect(outcomeOfRefusal(number)).toBe('server_error');
    expect(outcomeOfRefusal({ ...number, isJson: true })).toBe('credentials_rejected');
  });

  it('takes the limit of an account for one, though it comes back', () => {
    const said = refusal(429, 'The usage limit has been reached', 'usage_limit_reached');
    expect(outcomeOfRefusal({ ...said, saysWhen: true })).toBe('quota_exhausted');
  });

  it('takes a quota that comes back for a rate limit', () => {
    const said = 'You exceeded your current quota, please check your plan and billing details.';
    expect(outcomeOfRefusal({ ...refusal(429, said), saysWhen: true })).toBe('rate_limited');
    expect(outcomeOfRefusal({ ...refusal(429, said, 'insufficient_quota'), saysWhen: true })).toBe(
      'quota_exhausted',
    );
  });

  it('takes a 401 for a quota where its name says so', () => {
    const words = 'You exceeded your plan, please check your account.';
    expect(outcomeOfRefusal(refusal(401, words, 'insufficient_quota'))).toBe('quota_exhausted');
    expect(outcomeOfRefusal(refusal(401, words, 'unauthorized'))).toBe('credentials_rejected');
  });

  it('takes a 424 for a failed inference where the host says so', () => {
    const { error, ...rest } = refusal(424, 'Request failed during generation');
    expect(outcomeOfRefusal({ ...rest, error: { ...error, type: 'generation' } })).toBe('server_error');
  });

  it('does not read on from the code into the message', () => {
    expect(outcomeOfRefusal(refusal(413, 'tokens', 'limit_exceeded'))).toBe('malformed_request');
  });

  it('looks at no more than the beginning of a message', () => {
    // In one piece, as it comes from a host: to make it takes longer than to look at it.
    const message = Buffer.alloc(65_000_000, 'model tokens ').toString('latin1');
    const { result, ms } = timedOnThread(() => outcomeOfRefusal(refusal(400, message)));
    expect(result).toBe('malformed_request');
    expect(ms).toBeLessThan(1_000);
  });

  it('goes by the code where the text says nothing', () => {
    expect(outcomeOfRefusal(refusal(400, 'no', 'context_length_exceeded'))).toBe('context_too_long');
    expect(outcomeOfRefusal(refusal(404, 'no', 'model_not_found'))).toBe('model_not_found');
    expect(outcomeOfRefusal(refusal(429, 'no', 'insufficient_quota'))).toBe('quota_exhausted');
    expect(outcomeOfRefusal(refusal(400, 'no', 'content_policy_violation'))).toBe('policy_refusal');
  });

  it('takes a page of a proxy for its path, and a 503 with a time for load', () => {
    expect(outcomeOfRefusal({ status: 404, error: undefined, isJson: false, saysWhen: false })).toBe(
      'path_not_found',
    );
    expect(outcomeOfRefusal({ ...refusal(503, 'wait'), saysWhen: true })).toBe('overloaded');
  });
});
