import { describe, expect, it } from '@jest/globals';
import { outcomeOfRefusal } from './refusal-outcome.ts';

const refusal = (status: number, message: string, code?: string) => ({
  status,
  error: { message, code, type: undefined, status: undefined },
  isJson: true,
  saysWhen: false,
});

describe('outcomeOfRefusal', () => {
  /** Words of clouds and their gateways, and of hosts whose paths are others than those of chats. */
  it.each([
    [400, 'The request targeted an endpoint that is currently closed or unavailable.', 'model_not_found'],
    [400, 'Endpoint projects/p/endpoints/1 does not have any deployed model.', 'model_not_found'],
    [400, 'Model loading was stopped due to insufficient system resources.', 'model_not_found'],
    [400, 'No route for that URI', 'path_not_found'],
    [400, 'Please configure AI Gateway in the dashboard', 'conflict'],
    [410, 'Live search is deprecated. Please switch to the tools.', 'conflict'],
    [400, 'max tokens of 32768 exceeded', 'context_too_long'],
    [400, 'max tokens of the answer must be positive', 'malformed_request'],
    [422, 'Unable to generate image: NSFW content detected', 'policy_refusal'],
    [429, 'This key is limited to 1000 API calls / month.', 'quota_exhausted'],
    [429, 'This key is limited to 10 API calls / minute.', 'rate_limited'],
    [
      429,
      'You have not added your payment method in the billing page and have reduced rate limits of 3 RPM.',
      'rate_limited',
    ],
    [503, 'activator overload', 'overloaded'],
    [400, 'This model only support stream mode, please enable the stream parameter.', 'conflict'],
    [400, 'parameter.enable_thinking must be set to false for non-streaming calls', 'conflict'],
    [400, 'Requests with max_tokens > 4096 must have stream=true', 'conflict'],
    [400, 'stream must be true or false', 'malformed_request'],
  ] as const)('knows a %i with %j: %s', (status, message, outcome) => {
    expect(outcomeOfRefusal(refusal(status, message))).toBe(outcome);
  });

  it('takes a 401 for a quota where its name says so', () => {
    const words = 'You exceeded your plan, please check your account.';
    expect(outcomeOfRefusal(refusal(401, words, 'insufficient_quota'))).toBe('quota_exhausted');
    expect(outcomeOfRefusal(refusal(401, words, 'unauthorized'))).toBe('credentials_rejected');
  });
});
