import { describe, expect, it } from '@jest/globals';
import { outcomeOfRefusal, statusWithin } from './refusal-outcome.ts';

const refusal = (status: number, message: string, code?: string) => ({
  status,
  error: { message, code, type: undefined, status: undefined },
  isJson: true,
  saysWhen: false,
});

describe('outcomeOfRefusal', () => {
  it.each([
    [404, 'The model `qwen` does not exist.', 'model_not_found'],
    [404, 'model "qwen:latest" not found, try pulling it first', 'model_not_found'],
    [404, 'The lora adapter `a` has not been loaded.', 'model_not_found'],
    [404, 'No endpoints found for unknown/model.', 'malformed_request'],
    [404, 'DeploymentNotFound: The API deployment for this resource does not exist.', 'model_not_found'],
    [400, 'Invalid model name passed in model=x', 'model_not_found'],
    [404, 'Not Found', 'path_not_found'],
    [404, 'File Not Found', 'path_not_found'],
    [404, 'Invalid URL (POST /v1/nothing)', 'path_not_found'],
    [404, 'No response found with id resp_1.', 'malformed_request'],
    [400, "This model's maximum context length is 8192 tokens.", 'context_too_long'],
    [400, 'the request exceeds the available context size', 'context_too_long'],
    [400, 'prompt is too long: 210000 tokens > 200000 maximum', 'context_too_long'],
    [413, 'Request too large', 'malformed_request'],
    [403, 'Your input was flagged.', 'policy_refusal'],
    [400, 'The response was filtered by our content management policy.', 'policy_refusal'],
    [403, 'Project does not have access.', 'credentials_rejected'],
    [429, 'You exceeded your current quota, please check your plan and billing details.', 'quota_exhausted'],
    [429, 'Rate limit reached for requests', 'rate_limited'],
    [503, 'Loading model', 'loading'],
    [503, 'Service Unavailable', 'server_error'],
    [500, 'The engine is currently overloaded, please try again later', 'overloaded'],
    [501, 'Not Implemented', 'path_not_found'],
    [504, 'upstream timed out', 'server_error'],
    [302, '', 'redirect'],
  ] as const)('says of a %i with %j: %s', (status, message, outcome) => {
    expect(outcomeOfRefusal(refusal(status, message))).toBe(outcome);
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

describe('statusWithin', () => {
  it.each([
    ["This model's maximum context length is 10 tokens.", 400],
    ['model m not found', 404],
    ['The server is overloaded.', 529],
    ['engine died', undefined],
  ])('reads %j as %p', (message, status) => {
    expect(statusWithin(refusal(0, message).error)).toBe(status);
  });
});
