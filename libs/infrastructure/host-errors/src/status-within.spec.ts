import { describe, expect, it } from '@jest/globals';
import { errorIn } from './reported-error.ts';
import { statusWithin } from './refusal-outcome.ts';

describe('statusWithin', () => {
  it.each([
    ["This model's maximum context length is 10 tokens.", 400],
    ['model m not found', 404],
    ['The server is overloaded.', 529],
    ['API key not valid. Please pass a valid API key.', 401],
    ['Insufficient credits', 402],
    ['quota exceeded', 402],
    ['rate limit', 429],
    ['token limit', 429],
    ['The request model name does not exist in the model list.', 404],
    ['The engine process has died', undefined],
    ['Model m is currently loading', 503],
    ['Model m is temporarily unavailable, please try again', 503],
    ['context deadline exceeded (Client.Timeout or context cancellation while reading body)', undefined],
    ['engine died', undefined],
    ['Rate limit exceeded: free-models-per-min.', 429],
    ['Tokens per minute limit exceeded - too many tokens processed', 429],
    ['Too many tokens, please wait before trying again.', 429],
    ['Your input was flagged.', 400],
    ['Unexpected endpoint or method. (POST /v1/rerank)', 404],
    ['Failed to load model "m".', 404],
  ])('reads %j as %p', (message, status) => {
    expect(statusWithin({ message, code: undefined, type: undefined, status: undefined })).toBe(status);
  });

  it.each([
    ['too_many_requests', 429],
    ['rate_limited', 429],
  ])('goes by the name of %s, whatever its words', (code, status) => {
    const error = errorIn({ type: 'error', error: { type: code, code, message: 'Too Many Requests' } });
    expect(error && statusWithin(error)).toBe(status);
  });
});
